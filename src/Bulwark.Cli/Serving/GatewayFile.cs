using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Monitoring;
using Bulwark.Server;

namespace Bulwark.Cli.Serving;

/// <summary>A gateway's settings file (<c>serve --config</c>): JSON, no unknown member, every fault named at once. Paths are relative to the file.</summary>
internal sealed record GatewayFile
{
    public string? PublicAddress { get; init; }
    public ReceiptMode Receipts { get; init; }
    public string? SpiffeTrustDomain { get; init; }
    public string? JwtSvidAudience { get; init; }
    public bool DpopNonces { get; init; } = true;
    public double TokenKeysMinutes { get; init; } = 60;
    public IReadOnlyList<Zone> Zones { get; init; } = [];
    public double RequestsPerSecond { get; init; }
    public int RequestBurst { get; init; } = 100;
    public int MaximumBodyBytes { get; init; } = 1 << 20;
    public int MaximumRows { get; init; } = 1024;
    public int MaximumConcurrentRequests { get; init; } = 4096;
    public int MaximumConnections { get; init; } = 16_384;
    public double DrainSeconds { get; init; } = 20;
    public int? HealthPort { get; init; }
    public bool SealedUnmonitored { get; init; }
    public IReadOnlyList<Upstream> Upstreams { get; init; } = [];
    public Responder? Ocsp { get; init; }

    internal sealed record Responder(string Address, bool Nonce = true, double RefreshMinutes = 5, double GraceMinutes = 0, double TimeoutSeconds = 2);

    internal sealed record Zone(string Name, string Network);

    internal sealed record Upstream
    {
        public required string Name { get; init; }
        public required string Address { get; init; }
        public UpstreamProtocol Protocol { get; init; }
        public string? Model { get; init; }
        public string? Version { get; init; }
        public string? Roots { get; init; }
        public string? Certificate { get; init; }
        public string? Key { get; init; }
        public string? Screen { get; init; }
        public double TimeoutSeconds { get; init; } = 10;
        public bool AllowPlainText { get; init; }
    }

    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false,
        NumberHandling = JsonNumberHandling.Strict,
        PropertyNameCaseInsensitive = false,
        ReadCommentHandling = JsonCommentHandling.Skip,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>Reads a file into options.</summary>
    /// <exception cref="CommandException">The file has faults; the message lists them all.</exception>
    internal static GatewayOptions Apply(FileInfo file, GatewayOptions options)
    {
        GatewayFile read;
        try
        {
            read = JsonSerializer.Deserialize<GatewayFile>(File.ReadAllBytes(file.FullName), Strict) ?? throw new JsonException("The file holds null.");
        }
        catch (JsonException fault)
        {
            throw new CommandException($"{file.Name} is no gateway configuration: {fault.Message}", "see docs/serving.md");
        }

        var faults = new List<string>();
        var folder = file.DirectoryName!;
        var zones = read.Zones.Select(zone => ZoneOf(zone, faults)).OfType<NetworkZone>().ToList();
        var upstreams = read.Upstreams.Select(upstream => UpstreamOf(upstream, folder, faults)).OfType<UpstreamOptions>().ToList();
        var applied = options with
        {
            PublicAddress = read.PublicAddress,
            Receipts = read.Receipts,
            SpiffeTrustDomain = read.SpiffeTrustDomain,
            JwtSvidAudience = read.JwtSvidAudience,
            Ocsp = read.Ocsp is null ? null : OcspOf(read.Ocsp, faults),
            DpopNonces = read.DpopNonces,
            TokenKeysMaximumAge = TimeSpan.FromMinutes(Bounded(read.TokenKeysMinutes)),
            Zones = zones,
            RequestsPerSecond = read.RequestsPerSecond,
            RequestBurst = read.RequestBurst,
            MaximumBodyBytes = read.MaximumBodyBytes,
            MaximumRows = read.MaximumRows,
            MaximumConcurrentRequests = read.MaximumConcurrentRequests,
            MaximumConnections = read.MaximumConnections,
            DrainTimeout = TimeSpan.FromSeconds(Bounded(read.DrainSeconds)),
            HealthPort = read.HealthPort,
            SealedUnmonitored = read.SealedUnmonitored,
            Upstreams = upstreams,
        };
        faults.AddRange(applied.Faults());
        return faults.Count == 0 ? applied : throw new CommandException($"{file.Name} has {faults.Count} faults:{string.Concat(faults.Select(fault => $"\n  {fault}"))}", "mend them all; nothing was started");
    }

    /// <summary>A number that a time can be made of; a wrong one becomes −1, which the options refuse.</summary>
    private static double Bounded(double value) => double.IsFinite(value) && Math.Abs(value) < 1_000_000 ? value : -1;

    private static OcspOptions? OcspOf(Responder responder, List<string> faults)
    {
        if (!Uri.TryCreate(responder.Address, UriKind.Absolute, out var address))
        {
            faults.Add($"The address {responder.Address} of the OCSP responder is no URL.");
            return null;
        }

        return new() { Address = address, Nonce = responder.Nonce, Refresh = TimeSpan.FromMinutes(Bounded(responder.RefreshMinutes)), Grace = TimeSpan.FromMinutes(Bounded(responder.GraceMinutes)), Timeout = TimeSpan.FromSeconds(Bounded(responder.TimeoutSeconds)) };
    }

    private static NetworkZone? ZoneOf(Zone zone, List<string> faults)
    {
        if (string.IsNullOrWhiteSpace(zone.Name))
            faults.Add("A zone has no name.");
        if (IPNetwork.TryParse(zone.Network, out var network))
            return new(zone.Name, network);
        faults.Add($"The network {zone.Network} of zone {zone.Name} is no CIDR block such as 10.1.0.0/16.");
        return null;
    }

    private static UpstreamOptions? UpstreamOf(Upstream upstream, string folder, List<string> faults)
    {
        if (!Uri.TryCreate(upstream.Address.EndsWith('/') ? upstream.Address : upstream.Address + "/", UriKind.Absolute, out var address))
        {
            faults.Add($"The address {upstream.Address} of upstream {upstream.Name} is no URL.");
            return null;
        }

        string PathOf(string name) => Path.GetFullPath(name, folder);
        try
        {
            var roots = new X509Certificate2Collection();
            if (upstream.Roots is not null)
                roots.ImportFromPemFile(PathOf(upstream.Roots));
            return new()
            {
                Name = upstream.Name,
                Address = address,
                Protocol = upstream.Protocol,
                UpstreamModel = upstream.Model,
                UpstreamVersion = upstream.Version,
                Roots = [.. roots],
                Certificate = upstream.Certificate is null ? null : X509Certificate2.CreateFromPemFile(PathOf(upstream.Certificate), PathOf(upstream.Key ?? upstream.Certificate)),
                Screen = upstream.Screen is null ? null : InputScreen.FromJson(File.ReadAllBytes(PathOf(upstream.Screen))),
                Timeout = TimeSpan.FromSeconds(Bounded(upstream.TimeoutSeconds)),
                AllowPlainText = upstream.AllowPlainText,
            };
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException or FormatException or InvalidDataException or JsonException or ArgumentException)
        {
            faults.Add($"A file of upstream {upstream.Name} cannot be used: {fault.Message}");
            return null;
        }
    }
}
