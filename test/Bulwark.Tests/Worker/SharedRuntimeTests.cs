using Bulwark.Worker.Processes;

namespace Bulwark.Tests.Worker;

public sealed class SharedRuntimeTests
{
    [Theory]
    [InlineData("/usr/share/dotnet/shared/Microsoft.NETCore.App/10.0.0/System.Private.CoreLib.dll", "/opt/bulwark/", "/usr/share/dotnet")]
    [InlineData("/opt/bulwark/System.Private.CoreLib.dll", "/opt/bulwark/", null)]   // self-contained: three folders up would be the whole disk
    [InlineData("/opt/bulwark/System.Private.CoreLib.dll", "/opt/bulwark", null)]
    [InlineData("", "/opt/bulwark/", null)]   // compiled in
    public void A_program_with_its_own_runtime_shares_none(string core, string program, string? shared)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Paths of Linux.");
        Assert.Equal(shared, SharedRuntime.FolderOf(core, program));
    }
}
