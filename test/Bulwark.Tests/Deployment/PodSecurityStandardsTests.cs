using Bulwark.Deployment;

namespace Bulwark.Tests.Deployment;

public class PodSecurityStandardsTests
{
    private const string Good = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: good, namespace: shop}
        spec:
          selector: {matchLabels: {app: good}}
          template:
            metadata: {labels: {app: good}}
            spec:
              securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
              containers:
              - name: one
                image: shop/one:1
                securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        """;

    [Fact]
    public void The_restricted_level_accepts_a_hardened_pod() => Assert.Empty(Check(Good));

    [Theory]
    [InlineData("runAsNonRoot: true,", "runAsNonRoot: false,", "runAsNonRoot", "spec.template.spec.containers[0].securityContext.runAsNonRoot")]
    [InlineData("runAsNonRoot: true,", "runAsNonRoot: 'true',", "runAsNonRoot", "spec.template.spec.containers[0].securityContext.runAsNonRoot")]
    [InlineData("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: 'false'", "allowPrivilegeEscalation", "spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation")]
    [InlineData("drop: [ALL]", "drop: ALL", "capabilities_restricted", "spec.template.spec.containers[0].securityContext.capabilities.drop")]
    [InlineData("drop: [ALL]", "drop: [ALL], add: SYS_ADMIN", "capabilities_baseline", "spec.template.spec.containers[0].securityContext.capabilities.add")]
    [InlineData("containers:", "hostNetwork: yes\n      containers:", "hostNamespaces", "spec.template.spec.hostNetwork")]
    [InlineData("containers:", "hostPID: \"true\"\n      containers:", "hostNamespaces", "spec.template.spec.hostPID")]
    [InlineData("seccompProfile: {type: RuntimeDefault}", "seccompProfile: {type: runtimedefault}", "seccompProfile_restricted", "spec.template.spec.containers[0].securityContext.seccompProfile.type")]
    [InlineData("image: shop/one:1", "image: a\n        ports: [{hostPort: 0x50}]", "hostPorts", "spec.template.spec.containers[0].ports[0].hostPort")]
    [InlineData("containers:", "ephemeralContainers: [{name: e, securityContext: {privileged: true}}]\n      containers:", "privileged", "spec.template.spec.ephemeralContainers[0].securityContext.privileged")]
    [InlineData("containers:", "volumes: [{name: v, emptyDir: {}, hostPath: {path: /}}]\n      containers:", "hostPathVolumes", "spec.template.spec.volumes[0].hostPath")]
    [InlineData("containers:", "volumes: [{name: v, brandNew: {}}]\n      containers:", "restrictedVolumes", "spec.template.spec.volumes[0].brandNew")]
    public void A_weakened_pod_is_refused_at_the_place_that_is_weak(string from, string to, string rule, string path)
    {
        Assert.Contains(from, Good);
        Assert.Contains(Check(Good.Replace(from, to)), finding => finding.Rule == rule && finding.Path == path);
    }

    [Theory]
    [InlineData("CronJob", "spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, securityContext: {privileged: true}}]}}}}}")]
    [InlineData("Pod", "spec: {containers: [{name: a, securityContext: {privileged: true}}]}")]
    [InlineData("PodTemplate", "template: {spec: {containers: [{name: a, securityContext: {privileged: true}}]}}")]
    [InlineData("Rollout", "spec: {template: {spec: {containers: [{name: a, securityContext: {privileged: true}}]}}}")]
    public void Pods_are_found_in_every_kind_of_workload(string kind, string body) =>
        Assert.Contains(Check($"apiVersion: some/v1\nkind: {kind}\nmetadata: {{name: a}}\n{body}", SecurityLevel.Baseline), finding => finding.Rule == "privileged");

    [Fact]
    public void Lists_merge_keys_and_aliases_hide_nothing()
    {
        const string yaml = """
            apiVersion: v1
            kind: List
            items:
            - apiVersion: v1
              kind: Pod
              metadata: {name: a, annotations: {x: &x y}}
              spec:
                containers:
                - &first {name: a, securityContext: &context {privileged: true}}
                - name: b
                  securityContext: {<<: *context, runAsUser: 5}
            """;
        Assert.Equal(2, Check(yaml, SecurityLevel.Baseline).Count(finding => finding.Rule == "privileged"));
    }

    [Fact]
    public void Sysctls_are_safe_from_the_version_that_made_them_so()
    {
        var pod = ManifestReader.Read("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {securityContext: {sysctls: [{name: net.ipv4.tcp_rmem, value: '1'}]}}", "pod.yaml")[0];
        Assert.Contains(PodSecurityStandards.Check(pod, SecurityLevel.Baseline, 31), finding => finding.Rule == "sysctls");
        Assert.Empty(PodSecurityStandards.Check(pod, SecurityLevel.Baseline, 32));
    }

    [Theory]
    [InlineData("a: 1\na: 2", "line")]
    [InlineData("a: &a [*a]", "line")]
    [InlineData("[1, 2]", "no object")]
    [InlineData("a: [", "line")]
    public void What_cannot_be_read_is_refused_with_its_file(string yaml, string says)
    {
        var fault = Assert.Throws<FormatException>(() => ManifestReader.Read(yaml, "odd.yaml"));
        Assert.Contains("odd.yaml", fault.Message);
        Assert.Contains(says, fault.Message);
    }

    [Fact]
    public void A_bomb_of_aliases_is_refused_before_it_fills_the_memory()
    {
        var yaml = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range(1, 12).Select(i => $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        Assert.Contains("more than", Assert.Throws<FormatException>(() => ManifestReader.Read(yaml, "bomb.yaml")).Message);
    }

    [Fact]
    public void An_unknown_field_is_a_fault_of_shape() =>
        Assert.Contains(ManifestChecker.Check(ManifestReader.Read("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [], hostNetwrok: false}", "pod.yaml"), SecurityLevel.Privileged),
            finding => finding.Rule == "shape" && finding.Message.Contains("hostNetwrok", StringComparison.Ordinal));

    private static List<Finding> Check(string yaml, SecurityLevel level = SecurityLevel.Restricted) =>
        [.. ManifestReader.Read(yaml, "test.yaml").SelectMany(manifest => PodSecurityStandards.Check(manifest, level))];
}
