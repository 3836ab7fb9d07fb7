using Bulwark.Tests.Servers;
using Npgsql;

namespace Bulwark.Tests.Databases;

public class PostgresServerTests
{
    [Fact]
    public async Task The_server_keeps_what_was_committed_when_it_is_killed()
    {
        using var server = PostgresServer.StartOwn();
        var connection = server.CreateDatabase();
        await using (var source = NpgsqlDataSource.Create(connection))
        {
            await using var create = source.CreateCommand("CREATE TABLE kept (n bigint); INSERT INTO kept VALUES (7);");
            await create.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        server.Kill();
        server.StartAgain();
        await using var again = NpgsqlDataSource.Create(connection);
        await using var read = again.CreateCommand("SELECT n FROM kept");
        Assert.Equal(7L, await read.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }
}
