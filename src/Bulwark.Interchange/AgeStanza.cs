namespace Bulwark.Interchange;

/// <summary>One recipient of an age file: <c>-> type arguments</c> and a body.</summary>
internal sealed record AgeStanza(string Type, IReadOnlyList<string> Arguments, byte[] Body);
