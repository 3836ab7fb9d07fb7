namespace Bulwark.Fuzz;

/// <summary>One parser of hostile bytes. A file a target in Targets/; the program finds them by itself.</summary>
internal interface IFuzzTarget
{
    /// <summary>How the command line calls it: lower case with dashes.</summary>
    string Name { get; }

    /// <summary>Sound inputs, from which the broken ones are made. The folder corpus/NAME is added.</summary>
    IEnumerable<byte[]> Seeds();

    /// <summary>Parses, as a program would. Throws freely; also throws when it gives out something wrong.</summary>
    void Run(ReadOnlySpan<byte> input);

    /// <summary>True for an exception that the parser documents; any other is a finding.</summary>
    bool IsRefusal(Exception failure);
}
