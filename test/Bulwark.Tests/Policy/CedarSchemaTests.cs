using Bulwark.Policy;

namespace Bulwark.Tests.Policy;

public class CedarSchemaTests
{
    private static readonly CedarSchema Schema = CedarSchema.Parse("""
        namespace Bank {
            type Zone = { name: String, net?: ipaddr };
            entity Team;
            entity Region enum ["eu", "us"];
            @doc("who calls")
            entity Client in [Team] = { level: Long, region: Region, zones: Set<Zone> } tags Set<String>;
            entity Model;
            action read;
            action predict in [read] appliesTo { principal: [Client], resource: Model, context: { address: ipaddr, at?: datetime } };
        }
        """);

    private const string Client = """{"uid":{"type":"Bank::Client","id":"a"},"attrs":{"level":1,"region":{"type":"Bank::Region","id":"eu"},"zones":[{"name":"dmz","net":"10.0.0.0/8"}]},"parents":[{"type":"Bank::Team","id":"t"}],"tags":{"x":["y"]}}""";

    [Fact]
    public void Entities_may_be_written_short_where_the_schema_types_them()
    {
        var entities = Schema.ParseEntities($"[{Client}]");
        var request = new AuthorizationRequest(
            new("Bank::Client", "a"), new("Bank::Action", "predict"), new("Bank::Model", "m"),
            Schema.ParseContext(new("Bank::Action", "predict"), """{"address":"10.1.2.3"}"""));
        Assert.Empty(Schema.RequestFaults(request));
        var policies = PolicySet.Parse("""
            permit(principal in Bank::Team::"t", action in Bank::Action::"read", resource)
            when { principal.region == Bank::Region::"eu" && context.address.isInRange(ip("10.0.0.0/8")) && principal.getTag("x").contains("y") };
            """);
        Assert.Equal(Decision.Allow, policies.Authorize(request, entities).Decision);
    }

    [Theory]
    [InlineData("\"level\":1", "\"level\":\"1\"", "level")]
    [InlineData("\"level\":1,", "", "level")]
    [InlineData("\"level\":1", "\"level\":1,\"more\":1", "more")]
    [InlineData("\"id\":\"eu\"", "\"id\":\"asia\",\"x\":1", "type and id")]
    [InlineData("Bank::Region", "Bank::Team", "region")]
    [InlineData("10.0.0.0/8", "10.0.0.0/80", "ipaddr")]
    [InlineData("Bank::Team", "Bank::Model", "Bank::Model")]
    [InlineData("[\"y\"]", "[1]", "tags")]
    [InlineData("Bank::Client", "Bank::Stranger", "Bank::Stranger")]
    public void Entities_that_do_not_fit_are_refused(string good, string bad, string reason)
    {
        var fault = Assert.Throws<FormatException>(() => Schema.ParseEntities($"[{Client.Replace(good, bad, StringComparison.Ordinal)}]"));
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Requests_that_do_not_fit_are_told()
    {
        var wrong = new AuthorizationRequest(new("Bank::Team", "t"), new("Bank::Action", "predict"), new("Bank::Client", "a"), CedarRecord.Empty);
        Assert.Equal(2, Schema.RequestFaults(wrong).Count());
        Assert.Single(Schema.RequestFaults(wrong with { Action = new("Bank::Action", "none") }));
        Assert.Throws<FormatException>(() => Schema.ParseContext(new("Bank::Action", "predict"), "{}"));
    }

    [Theory]
    [InlineData("entity A in [B];")]
    [InlineData("entity A; entity A;")]
    [InlineData("type A = B; type B = A;")]
    [InlineData("entity A { x: Nothing };")]
    [InlineData("action a in [b];")]
    [InlineData("entity A")]
    public void A_schema_that_means_nothing_is_refused(string text) => Assert.Throws<PolicySyntaxException>(() => CedarSchema.Parse(text));

    [Theory]
    [InlineData("""[{"uid":{"type":"A","id":"1"},"attrs":{},"parents":[{"type":"A","id":"2"}]},{"uid":{"type":"A","id":"2"},"attrs":{},"parents":[{"type":"A","id":"1"}]}]""")]
    [InlineData("""[{"uid":{"type":"A","id":"1"},"attrs":{},"parents":[]},{"uid":{"type":"A","id":"1"},"attrs":{},"parents":[]}]""")]
    [InlineData("""[{"uid":{"type":"A","id":"1"},"attrs":{"x":1.5},"parents":[]}]""")]
    [InlineData("""[{"uid":{"type":"A","id":"1"},"attrs":{"x":null},"parents":[]}]""")]
    [InlineData("""[{"uid":{"type":"A","id":"1"},"attrs":{"x":1,"x":2},"parents":[]}]""")]
    [InlineData("""[{"uid":{"type":"A b","id":"1"},"attrs":{},"parents":[]}]""")]
    [InlineData("""[{"uid":{"type":"A","id":"\ud800"},"attrs":{},"parents":[]}]""")]
    [InlineData("""[{"uid":{"type":"A","id":"1"},"attrs":{"x":{"__extn":{"fn":"ip","arg":"x"}}},"parents":[]}]""")]
    [InlineData("""[{"uid":{"type":"A","id":"1"},"parents":[]}]""")]
    [InlineData("""[{"uid":{"type":"A","id":"1"},"attrs":{"\ud800":1},"parents":[]}]""")]
    [InlineData("{}")]
    [InlineData("nonsense")]
    public void Entities_that_contradict_themselves_are_refused(string json) => Assert.Throws<FormatException>(() => EntityStore.Parse(json));

    [Theory]
    [InlineData("""permit(principal, action == Bank::Action::"predict", resource) when { principal.level > 3 && principal.zones.contains({name: "dmz"}) == false };""", "do not meet")]
    [InlineData("permit(principal, action, resource) when { context.at > datetime(\"2024-01-01\") };", "optional")]
    [InlineData("permit(principal, action, resource) when { context has other || principal.other };", "no attribute")]
    [InlineData("permit(principal, action, resource) when { principal.level > \"3\" };", "no order")]
    [InlineData("permit(principal, action, resource) when { context.address == ip(\"10.0.0.300\") };", "well formed")]
    [InlineData("permit(principal, action, resource) when { principal.getTag(\"x\").isEmpty() };", "hasTag")]
    [InlineData("permit(principal, action, resource) when { resource.hasTag(\"x\") && resource.getTag(\"x\").isEmpty() || principal.level };", "expected a bool")]
    [InlineData("permit(principal, action, resource) when { principal == Bank::Stranger::\"x\" };", "no entity type")]
    [InlineData("permit(principal, action, resource) when { principal.region == Bank::Region::\"asia\" };", "asia")]
    [InlineData("permit(principal is Bank::Model, action, resource);", "no action")]
    [InlineData("permit(principal, action == Bank::Action::\"none\", resource);", "none")]
    [InlineData("permit(principal, action, resource) when { [] == [1] };", "empty set")]
    public void A_policy_that_does_not_fit_is_refused(string policy, string reason) =>
        Assert.Contains(Schema.PolicyFaults(PolicySet.Parse(policy)), fault => fault.Message.Contains(reason, StringComparison.Ordinal));

    [Theory]
    [InlineData("permit(principal, action, resource);")]
    [InlineData("permit(principal, action, resource) when { context has at && context.at > datetime(\"2024-01-01\") };")]
    [InlineData("permit(principal, action, resource) when { principal.hasTag(\"x\") && principal.getTag(\"x\").contains(\"y\") };")]
    [InlineData("permit(principal, action, resource) when { if principal is Bank::Client then principal.level > 3 else principal.nothing };")]
    [InlineData("permit(principal in Bank::Team::\"t\", action in Bank::Action::\"read\", resource) unless { resource is Bank::Client && resource.level };")]
    public void A_policy_that_fits_has_no_fault(string policy) => Assert.Empty(Schema.PolicyFaults(PolicySet.Parse(policy)));
}
