using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Cli.Sealing;

/// <summary>The Tink keyset and the associated data of a Tink file.</summary>
internal static class TinkKeys
{
    internal static readonly Option<FileInfo?> Keyset = new("--keyset") { Description = "Tink: a cleartext keyset in JSON. Sealing makes it when it is absent; keep it as you keep keys.", HelpName = "FILE" };
    internal static readonly Option<string> Segment = Of();
    internal static readonly Option<string?> AssociatedData = new("--aad") { Description = "Tink: text that the file is bound to; opening needs the same." };

    internal static byte[] Aad(ParseResult parsed) => Encoding.UTF8.GetBytes(parsed.GetValue(AssociatedData) ?? "");

    /// <param name="parsed">The command line.</param>
    /// <param name="make">Hears of a keyset that was made; null where a missing one is an error.</param>
    internal static TinkKeyset Read(ParseResult parsed, Screen? make = null)
    {
        var file = parsed.GetValue(Keyset) ?? throw new CommandException("A Tink file needs a keyset.", "--keyset FILE");
        if (!file.Exists && make is not null)
        {
            var made = TinkKeyset.Generate(parsed.GetValue(Segment) == "4KB" ? TinkStreamingKey.FourKilobytes : TinkStreamingKey.OneMegabyte);
            var json = made.ToJson();
            AtomicFile.Write(file.FullName, json, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            CryptographicOperations.ZeroMemory(json);
            make.Note($"[yellow]{Spectre.Console.Markup.Escape($"Made the keyset {file.FullName}: whoever reads it can open what it seals.")}[/]");
            return made;
        }

        return TinkKeyset.Parse(File.ReadAllBytes(SealCommand.Existing(file).FullName));
    }

    private static Option<string> Of()
    {
        var option = new Option<string>("--segment") { Description = "Tink: segments of a keyset that is made now, 1MB or 4KB.", DefaultValueFactory = _ => "1MB" };
        option.AcceptOnlyFromAmong("1MB", "4KB");
        return option;
    }
}
