namespace Bulwark.Tests.Servers;

/// <summary>The PostgreSQL that a test run's tests share: started by the first that asks, a database of its own for each.</summary>
public static class PostgresServer
{
    private static readonly Lazy<PostgresCluster> s_shared = new(PostgresCluster.Start);

    /// <summary>The connection string of a new, empty database on the shared server; skips the calling test where PostgreSQL is absent, fails it in CI.</summary>
    public static string NewDatabase() => Require(() => s_shared.Value).CreateDatabase();

    /// <summary>A server of the caller's own, to be killed and started again.</summary>
    public static PostgresCluster StartOwn() => Require(PostgresCluster.Start);

    private static PostgresCluster Require(Func<PostgresCluster> start)
    {
        if (PostgresCluster.Binaries is null)
        {
            const string Absent = "PostgreSQL is not installed: run eng/test-servers.sh.";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", Absent);
            Assert.Skip(Absent);
        }

        return start();
    }
}
