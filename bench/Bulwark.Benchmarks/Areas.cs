namespace Bulwark.Benchmarks;

/// <summary>The areas that measure themselves beside their limits in one run, a folder each.</summary>
internal static class Areas
{
    private static readonly Dictionary<string, Func<string[], int>> s_areas = new(StringComparer.Ordinal)
    {
        ["attacks"] = Attacks.AttacksArea.Run,
        ["attestation"] = Attestation.AttestationArea.Run,
        ["channel"] = Channel.ChannelArea.Run,
        ["columns"] = Columns.ColumnsArea.Run,
        ["extraction"] = Poisoning.ExtractionArea.Run,
        ["fields"] = Fields.FieldsArea.Run,
        ["fingerprint"] = Ownership.FingerprintArea.Run,
        ["gateway"] = Gateway.GatewayArea.Run,
        ["hardening"] = Poisoning.HardeningArea.Run,
        ["keys"] = Keys.KeysArea.Run,
        ["load"] = Load.LoadArea.Run,
        ["log"] = Log.LogArea.Run,
        ["membership"] = Membership.MembershipArea.Run,
        ["monitor"] = Monitor.MonitorArea.Run,
        ["poison"] = Poisoning.PoisonArea.Run,
        ["receipts"] = Receipts.ReceiptsArea.Run,
        ["robust"] = Robust.RobustArea.Run,
        ["screen"] = Screening.ScreenArea.Run,
        ["sealing"] = Sealing.SealingArea.Run,
        ["signing"] = Signing.SigningArea.Run,
        ["packages"] = Packages.PackagesArea.Run,
        ["privacy"] = Privacy.PrivacyArea.Run,
        ["trees"] = Trees.TreesArea.Run,
        ["training"] = Training.TrainingArea.Run,
    };

    public static Func<string[], int>? Find(string name) => s_areas.GetValueOrDefault(name);
}
