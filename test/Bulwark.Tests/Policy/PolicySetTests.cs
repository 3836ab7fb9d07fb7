using Bulwark.Policy;

namespace Bulwark.Tests.Policy;

public class PolicySetTests
{
    private static readonly EntityUid Alice = new("Client", "alice");
    private static readonly EntityUid Predict = new("Action", "predict");
    private static readonly EntityUid Fraud = new("Model", "fraud");

    private static readonly EntityStore Entities = new(
        new Entity(Alice, CedarRecord.Of(("level", 7), ("department", "risk")), [new("Team", "scoring")], CedarRecord.Of(("region", "eu"))),
        new Entity(new("Team", "scoring"), parents: [new("Team", "bank")]));

    private static AuthorizationAnswer Ask(string policies, CedarRecord? context = null) =>
        PolicySet.Parse(policies).Authorize(new(Alice, Predict, Fraud, context ?? CedarRecord.Empty), Entities);

    private static Decision When(string condition) => Ask($"permit(principal, action, resource) when {{ {condition} }};").Decision;

    private static string Error(string condition) => Assert.Single(Ask($"permit(principal, action, resource) when {{ {condition} }};").Errors).Message;

    [Fact]
    public void Nothing_is_permitted_by_default()
    {
        var answer = Ask("");
        Assert.Equal(Decision.Deny, answer.Decision);
        Assert.Empty(answer.Reasons);
        Assert.Equal(Decision.Deny, default);
    }

    [Fact]
    public void Forbid_wins_over_permit()
    {
        var answer = Ask("""permit(principal, action, resource); forbid(principal, action, resource == Model::"fraud");""");
        Assert.Equal(Decision.Deny, answer.Decision);
        Assert.Equal(["policy1"], answer.Reasons);
    }

    [Fact]
    public void A_policy_that_errs_counts_for_nothing_and_is_named()
    {
        var answer = Ask("permit(principal, action, resource); forbid(principal, action, resource) when { context.missing };");
        Assert.Equal(Decision.Allow, answer.Decision);
        Assert.Equal("policy1", Assert.Single(answer.Errors).PolicyId);
        Assert.Equal(Decision.Deny, Ask("permit(principal, action, resource) when { context.missing };").Decision);
    }

    [Theory]
    [InlineData("""principal == Client::"alice", action, resource""", true)]
    [InlineData("""principal == Client::"bob", action, resource""", false)]
    [InlineData("""principal in Team::"bank", action, resource""", true)]
    [InlineData("""principal in Team::"other", action, resource""", false)]
    [InlineData("""principal is Client in Team::"scoring", action, resource""", true)]
    [InlineData("""principal is Team, action, resource""", false)]
    [InlineData("""principal, action in [Action::"explain", Action::"predict"], resource""", true)]
    [InlineData("""principal, action == Action::"explain", resource""", false)]
    [InlineData("""principal, action, resource is Model""", true)]
    public void The_scope_decides_whom_a_policy_concerns(string scope, bool allowed) =>
        Assert.Equal(allowed, Ask($"permit({scope});").Decision == Decision.Allow);

    [Theory]
    [InlineData("1 + 2 * 3 == 7")]
    [InlineData("-9223372036854775808 < 0")]
    [InlineData("if principal.level > 5 then true else context.missing")]
    [InlineData("true || context.missing")]
    [InlineData("!(false && context.missing)")]
    [InlineData("[1, 2, 2] == [2, 1]")]
    [InlineData("""{a: 1, "b c": [2]} == {"b c": [2], a: 1}""")]
    [InlineData("""[1, "one", true].containsAll([true, 1]) && [1].containsAny([2, 1]) && ![1].contains("1") && [].isEmpty()""")]
    [InlineData("""principal has level && principal has department && !(principal has other) && !(Client::"nobody" has level)""")]
    [InlineData("""principal.getTag("region") == "eu" && !principal.hasTag("colour") """)]
    [InlineData("""{a: {b: 1}} has a.b && !({a: {c: 1}} has a.b)""")]
    [InlineData("""Client::"nobody" in [Client::"nobody"] && !(Client::"nobody" in Team::"bank")""")]
    [InlineData("""1 != "1" """)]
    public void Conditions_that_hold(string condition) => Assert.Equal(Decision.Allow, When(condition));

    [Theory]
    [InlineData("""principal.department like "r*k" """, true)]
    [InlineData("""principal.department like "*i*" """, true)]
    [InlineData("""principal.department like "*" """, true)]
    [InlineData("""principal.department like "ris" """, false)]
    [InlineData("""principal.department like "riskk*" """, false)]
    [InlineData("""principal.department like "ri*isk" """, false)]
    [InlineData(""" "a*c" like "a\*c" """, true)]
    [InlineData(""" "abc" like "a\*c" """, false)]
    [InlineData(""" "\u{1F600}\n\x41" like "\u{1F600}*A" """, true)]
    public void Like_matches_whole_texts_with_wildcards(string condition, bool holds) => Assert.Equal(holds, When(condition) == Decision.Allow);

    [Theory]
    [InlineData("""ip("10.1.2.3").isInRange(ip("10.0.0.0/8"))""", true)]
    [InlineData("""ip("10.0.0.0/7").isInRange(ip("10.0.0.0/8"))""", false)]
    [InlineData("""ip("::1").isLoopback() && ip("127.0.0.1").isLoopback() && ip("ff02::1").isMulticast()""", true)]
    [InlineData("""ip("::1").isInRange(ip("0.0.0.0/0"))""", false)]
    [InlineData("""ip("1:2:3:4:5:6:7::") == ip("1:2:3:4:5:6:7:0")""", true)]
    [InlineData("""decimal("1.5").lessThan(decimal("1.5001")) && decimal("-0.0001") == decimal("-0.0001")""", true)]
    [InlineData("""datetime("2024-02-29T23:59:59.999Z") < datetime("2024-03-01")""", true)]
    [InlineData("""datetime("2024-01-01T01:00:00+0100") == datetime("2024-01-01")""", true)]
    [InlineData("""datetime("2024-01-02").durationSince(datetime("2024-01-01")) == duration("1d")""", true)]
    [InlineData("""datetime("1969-12-31T12:00:00Z").toTime() == duration("12h") && datetime("1969-12-31T12:00:00Z").toDate() == datetime("1969-12-31")""", true)]
    [InlineData("""duration("-1d2h3m4s5ms").toHours() == -26""", true)]
    public void Extension_values_compare_as_what_they_are(string condition, bool holds) => Assert.Equal(holds, When(condition) == Decision.Allow);

    [Theory]
    [InlineData("9223372036854775807 + 1 > 0")]
    [InlineData("-9223372036854775808 - 1 < 0")]
    [InlineData("9223372036854775807 * 2 > 0")]
    [InlineData("-(-9223372036854775808) > 0")]
    [InlineData("""1 < "2" """)]
    [InlineData("1 && true")]
    [InlineData("principal.missing == 1")]
    [InlineData("""Client::"nobody".level == 1""")]
    [InlineData("""ip("10.0.0.256").isIpv4()""")]
    [InlineData("""ip("010.0.0.1").isIpv4()""")]
    [InlineData("""ip("::ffff:1.2.3.4").isIpv6()""")]
    [InlineData("""ip("1.2.3.4/33").isIpv4()""")]
    [InlineData("""decimal("1.23456") == decimal("1.0")""")]
    [InlineData("""decimal("1") == decimal("1.0")""")]
    [InlineData("""datetime("2023-02-29") == datetime("2023-03-01")""")]
    [InlineData("""duration("1h1d") == duration("25h")""")]
    [InlineData("""datetime("2024-01-01").offset(duration("9223372036854775807ms")) == datetime("2024-01-01")""")]
    [InlineData("""[1, 2] like "a" """)]
    [InlineData("principal in [1]")]
    public void What_cannot_be_evaluated_denies_and_says_why(string condition) => Assert.NotEmpty(Error(condition));

    [Theory]
    [InlineData("permit(principal, action, resource)", 1, 36)]
    [InlineData("permit(principal, action, resource) when { 1 = 1 };", 1, 46)]
    [InlineData("permit(principal, action,\n resource) when { a };", 2, 19)]
    [InlineData("permit(principal, action, resource) when { \"a };", 1, 44)]
    [InlineData("permit(principal, action, resource) when { 1 < 2 < 3 };", 1, 50)]
    [InlineData("permit(principal, action, resource) when { 9223372036854775808 > 1 };", 1, 44)]
    [InlineData("permit(principal, action, resource) when { principal.isIpv4(1).x() };", 1, 64)]
    [InlineData("permit(principal, action, resource) when { {a: 1, a: 2} == {} };", 1, 51)]
    [InlineData("permit(principal, action, resource) when { true in };", 1, 52)]
    [InlineData("permit(resource, action, principal);", 1, 8)]
    [InlineData("permit(principal == ?resource, action, resource);", 1, 21)]
    [InlineData("permit(principal, action == Team::\"a\", resource);", 1, 29)]
    [InlineData("@a(\"1\") @a(\"2\") permit(principal, action, resource);", 1, 10)]
    [InlineData("allow(principal, action, resource);", 1, 1)]
    public void A_fault_in_the_text_is_told_with_its_place(string text, int line, int column)
    {
        var fault = Assert.Throws<PolicySyntaxException>(() => PolicySet.Parse(text));
        Assert.Equal((line, column), (fault.Line, fault.Column));
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("!(", ")")]
    [InlineData("[", "]")]
    [InlineData("if true then ", " else true")]
    public void Nesting_that_would_break_the_stack_is_refused(string open, string close)
    {
        var condition = string.Concat(Enumerable.Repeat(open, 20_000)) + "true" + string.Concat(Enumerable.Repeat(close, 20_000));
        Assert.Throws<PolicySyntaxException>(() => PolicySet.Parse($"permit(principal, action, resource) when {{ {condition} }};"));
    }

    [Theory]
    [InlineData(" && true")]
    [InlineData(" + 1")]
    [InlineData(".a")]
    public void A_chain_that_would_break_the_stack_is_refused(string link) =>
        Assert.Throws<PolicySyntaxException>(() => PolicySet.Parse($"permit(principal, action, resource) when {{ context{string.Concat(Enumerable.Repeat(link, 100_000))} }};"));

    [Fact]
    public void A_template_decides_nothing_until_it_is_linked()
    {
        var templates = PolicySet.Parse("permit(principal == ?principal, action, resource in ?resource);");
        var request = new AuthorizationRequest(Alice, Predict, Fraud, CedarRecord.Empty);
        Assert.Equal(Decision.Deny, templates.Authorize(request, Entities).Decision);
        Assert.Equal(["alice-fraud"], templates.Link("policy0", "alice-fraud", Alice, Fraud).Authorize(request, Entities).Reasons);
        Assert.Equal(Decision.Deny, templates.Link("policy0", "bob", new("Client", "bob"), Fraud).Authorize(request, Entities).Decision);
        Assert.Throws<ArgumentException>(() => templates.Link("policy0", "half", Alice));
    }

    [Fact]
    public void Annotations_and_places_are_kept()
    {
        var policy = Assert.Single(PolicySet.Parse("\n@id(\"first\") @advice\npermit(principal, action, resource);").Policies);
        Assert.Equal(("first", "", 2), (policy.Annotations["id"], policy.Annotations["advice"], policy.Line));
        Assert.StartsWith("@id", policy.Text, StringComparison.Ordinal);
    }
}
