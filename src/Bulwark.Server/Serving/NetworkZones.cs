using System.Net;

namespace Bulwark.Server;

/// <summary>A named part of the network, for policies.</summary>
/// <param name="Name">Its name, such as <c>datacenter</c>.</param>
/// <param name="Network">Its addresses, such as <c>10.1.0.0/16</c>.</param>
public sealed record NetworkZone(string Name, IPNetwork Network);

/// <summary>Which zone an address is in: the longest prefix that holds it.</summary>
internal sealed class NetworkZones(IEnumerable<NetworkZone> zones)
{
    internal const string Unknown = "unknown";
    private readonly NetworkZone[] _zones = [.. zones.OrderByDescending(zone => zone.Network.PrefixLength)];

    internal string Of(IPAddress? address)
    {
        if (address is null)
            return Unknown;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        foreach (var zone in _zones)
            if (zone.Network.Contains(plain))
                return zone.Name;
        return Unknown;
    }
}
