using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OrleansOms.Host.Security;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Operation;

/// <summary>What is deployed fits the program, as far as that can be seen without an engine for containers.</summary>
[Collection(ApiTests.ApiCollection.Name)]
public sealed partial class ManifestTests(OmsApp app)
{
    [Fact]
    public void The_manifests_fit_the_program_and_each_other() => Assert.Empty(Manifests.Ours.Faults());

    /// <summary>What is put in the place of what, and the fault that it is.</summary>
    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "k terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds: 30", "it is killed before the 35 s of its drain have passed" },
        { "k runAsNonRoot: true", "runAsNonRoot: false", "it runs as root" },
        { "k runAsUser: 1654", "runAsUser: 0", "it runs as root" },
        { "k fsGroup: 1654", "fsGroup: 1", "its volumes are another user's" },
        { "k seccompProfile: { type: RuntimeDefault }", "seccompProfile: { type: Unconfined }", "it may call everything of the kernel" },
        { "k readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "its root file system can be written to" },
        { "k allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "it may gain rights" },
        { "k drop: [ALL]", "drop: [CHOWN]", "it has capabilities" },
        { "k mountPath: /tmp", "mountPath: /var/tmp", "it may write to /data, /var/tmp" },
        { "k - { name: tmp, emptyDir: {} }", "- { name: temp, emptyDir: {} }", "a volume is missing" },
        { "k Oms__Role, value: web", "Oms__Role, value: silo", "the roles are Silo, Silo" },
        { "k Oms__Role, value: silo", "Oms__Role, value: worker", "the roles are , Web" },
        { "k Oms__PublicUrl", "Oms__PublicAddress", "Oms__PublicAddress is no setting" },
        { "k --from-literal=api-key", "--from-literal=key", "nobody makes the secret api-key" },
        { "k orleans-oms:0.1.0", "orleans-oms:0.0.9", "its image is orleans-oms:0.0.9" },
        { "k containerPort: 30000", "containerPort: 30001", "it listens on 8080, 11111, 30000, which the manifest does not say" },
        { "k path: /health/ready", "path: /health/live", "it is restarted when it is not ready" },
        { "k readinessProbe:", "readyProbe:", "it has no readinessProbe" },
        { "k /health/live, port: http", "/health/live, port: silo", "its livenessProbe asks at another port" },
        { "k limits: { memory: 1Gi }", "limits: { cpu: 1 }", "its memory has no limit" },
        { "k replicas: 2", "replicas: 1", "one alone cannot be replaced" },
        { "k maxUnavailable: 0", "maxUnavailable: 1", "one goes before the next one is there" },
        { "k kind: PodDisruptionBudget", "kind: PodBudget", "it has 0 disruption budgets" },
        { "k maxUnavailable: 1\n", "maxUnavailable: 0\n", "its budget is not one pod at a time" },
        { "k targetPort: http", "targetPort: gateway", "the service leads to another port" },
        { "k   sessionAffinity", "    x: y\n  sessionAffinity", "the service does not lead to the front ends" },
        { "k ENABLED, value: \"true\"", "ENABLED, value: \"false\"", "it takes all callers for one" },
        { "k kind: NetworkPolicy", "kind: Policy", "anybody may reach it" },
        { "k namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ingress-nginx } }", "namespaceSelector: {}", "anybody may reach it" },
        { "k policyTypes: [Ingress]", "policyTypes: [Egress]", "anybody may reach it" },
        { "k   - from:\n        - pod", "  - to:\n        - pod", "anybody may reach it" },
        { "k - { port: gateway }", "- { port: door }", "its policy is for other ports" },
        { "k podSelector: { matchLabels: { app.kubernetes.io/name: oms } }", "namespaceSelector: { matchLabels: { a: b } }", "others may tell it what to do" },
        { "c ENABLED: \"true\"", "ENABLED: \"false\"", "front2: it takes all callers for one" },
        { "c stop_grace_period: 60s\n  restart: unless-stopped\n\nx-settings", "stop_grace_period: 10s\n  restart: unless-stopped\n\nx-settings", "silo1: it is killed before its drain has passed" },
        { "c read_only: true", "read_only: false", "proxy: its root file system can be written to" },
        { "c cap_drop: [ALL]", "cap_drop: [CHOWN]", "front1: it has capabilities" },
        { "c no-new-privileges:true", "apparmor:unconfined", "front2: it may gain rights" },
        { "c tmpfs: [/tmp, ", "tmpfs: [/var, ", "front1: it may write elsewhere" },
        { "c Oms__Silo__Address: silo2", "Oms__Silo__Address: silo1", "silo2: others look for it elsewhere" },
        { "c Oms__Role: web", "Oms__Role: silo", "compose: there are too few of the role Web" },
        { "c http://front2:8080", "http://front3:8080", "proxy: it leads to http://front1:8080, http://front3:8080" },
        { "c 127.0.0.1:8080:8080", "127.0.0.1:8080:80", "proxy: it is asked at another port" },
        { "c Oms__PublicUrl:", "Oms__Url:", "front1: Oms__Url is no setting" },
        { "c OMS_DB_PASSWORD=%s", "OMS_PASSWORD=%s", "compose: nobody makes OMS_DB_PASSWORD" },
        { "c depends_on: [front1, front2]", "depends_on: [front1, front3]", "proxy: it waits for front3" },
        { "d aspnet:10.0", "sdk:10.0", "image: it holds more than it needs to run" },
        { "d USER $APP_UID\n", "", "image: it runs as root" },
        { "d EXPOSE 8080", "EXPOSE 80", "image: it listens on another port" },
        { "d VOLUME /data", "VOLUME /tmp", "image: its data is lost with it" },
        { "d Oms__Data=/data ", "Oms__Data=/data Oms__Folder=/x ", "image: Oms__Folder is no setting" },
        { "d CMD [\"up\"]", "CMD [\"cluster\"]", "image: it starts something else" },
    };

    [Theory, MemberData(nameof(Mistakes))]
    public void A_mistake_is_found(string where, string with, string fault)
    {
        var (ours, what) = (Manifests.Ours, where[2..]);
        Manifests wrong = where[0] switch
        {
            'k' => ours with { Kubernetes = ours.Kubernetes.Replace(what, with, StringComparison.Ordinal) },
            'c' => ours with { Compose = ours.Compose.Replace(what, with, StringComparison.Ordinal) },
            _ => ours with { Image = ours.Image.Replace(what, with, StringComparison.Ordinal) },
        };
        Assert.NotEqual(ours, wrong);
        Assert.Contains(wrong.Faults(), f => f == fault || f.EndsWith($": {fault}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Probes_ask_for_what_the_program_answers_and_only_readiness_needs_the_database()
    {
        await using var own = await OmsApp.Start();
        var containers = Manifests.Ours.Objects("Deployment").Select(Manifests.Container).ToList();
        async Task<int> Ask(JsonNode container, string probe) => (await own.Caller(null).Get(Manifests.ProbePath(container, probe)!)).Status;
        foreach (var container in containers)
            foreach (var probe in (string[])["startupProbe", "livenessProbe", "readinessProbe"])
                await OmsApp.Until(() => Ask(container, probe), status => status == 200);
        await own.Database.TakeAway();
        foreach (var container in containers)
        {
            await OmsApp.Until(() => Ask(container, "readinessProbe"), status => status == 503);
            Assert.Equal((200, 200), (await Ask(container, "livenessProbe"), await Ask(container, "startupProbe")));
        }
        await own.Database.GiveBack();
    }

    [Fact]
    public async Task A_front_end_as_it_is_deployed_believes_the_ingress_and_shows_it_no_figures()
    {
        var settings = Manifests.Container(Manifests.Ours.Objects("Deployment").Single(d => Manifests.Text(d["metadata"]!["name"]) == "oms-web"))["env"]!
            .AsArray().Where(e => e!["value"] is not null).Select(e => (Manifests.Text(e!["name"])!, Manifests.Text(e!["value"])!));
        await using var front = new OmsProcess(app.Database.ConnectionString, [.. settings, ("Oms__Bootstrap__ApiKey", OmsApp.BootstrapKey)]);
        await front.Start();
        using var ingress = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = front.Url };
        ingress.DefaultRequestHeaders.Host = "orders.example.com";
        ingress.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        ingress.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.1");

        using var page = await ingress.GetAsync("/login");
        var token = Token().Match(await page.Content.ReadAsStringAsync()).Groups[1].Value;
        var login = new HttpRequestMessage(HttpMethod.Post, "/login")
        {
            Content = new FormUrlEncodedContent(
                [new("name", "admin"), new("password", OmsApp.AdminPassword), new("returnUrl", "/orders"), new("__RequestVerificationToken", WebUtility.HtmlDecode(token))]),
        };
        login.Headers.Add("Cookie", Assert.Single(page.Headers.GetValues("Set-Cookie")).Split(';')[0]);
        using var inside = await ingress.SendAsync(login);
        Assert.Equal("/orders", inside.Headers.Location?.OriginalString);
        var cookie = Assert.Single(inside.Headers.GetValues("Set-Cookie"), c => c.StartsWith(OperatorLogin.Cookie, StringComparison.Ordinal));
        Assert.Contains("; secure", cookie, StringComparison.Ordinal);

        var write = new HttpRequestMessage(HttpMethod.Put, $"/api/v1/products/{await app.NewProduct()}")
            { Content = new StringContent("""{"name":"by hand"}""", Encoding.UTF8, "application/json") };
        write.Headers.Add("Cookie", cookie.Split(';')[0]);
        write.Headers.Add("Origin", "https://orders.example.com");
        Assert.Equal(HttpStatusCode.OK, (await ingress.SendAsync(write)).StatusCode);

        Assert.Equal(HttpStatusCode.NotFound, (await ingress.GetAsync("/metrics")).StatusCode);
        Assert.Equal(200, (await new Api(front.Url, null).Get("/metrics")).Status);
    }

    [GeneratedRegex("__RequestVerificationToken\"[^>]*value=\"([^\"]+)\"")]
    private static partial Regex Token();

    [Fact]
    public async Task The_health_check_of_the_image_says_whether_somebody_answers()
    {
        var check = Manifests.Ours.HealthCheck;
        var port = new Uri(app.Url).Port;
        Assert.Equal(0, await Run(check, port));
        using var nobody = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        nobody.Start();
        var silent = ((System.Net.IPEndPoint)nobody.LocalEndpoint).Port;
        nobody.Stop();
        Assert.NotEqual(0, await Run(check, silent));
        // Whoever answers something else there is not well either.
        Assert.NotEqual(0, await Run([.. check.Select(w => w.Replace("/health/live", "/health/none", StringComparison.Ordinal))], port));
    }

    [Theory]
    [InlineData("a: |\n  b"), InlineData("a: [b"), InlineData("a: {b: c"), InlineData("a: \"b"), InlineData("a: *b"), InlineData("a: b\na: c")]
    [InlineData("a\nb: c"), InlineData("a: b: c"), InlineData("a: b\n  c: d"), InlineData("\ta: b"), InlineData("a: !x b"), InlineData("- a\nb: c")]
    public void What_is_read_in_another_way_elsewhere_is_refused(string text) => Assert.Throws<FormatException>(() => Yaml.Documents(text));

    [Fact]
    public void Maps_lists_anchors_and_merges_are_read() => Assert.Equal(
        """[{"a":{"b":"1","c":["x","y: z"]},"d":{"e":"2","b":"1","c":["x","y: z"]},"f":[{"g":"h","i":"j"},"k",["l"]],"m":null},{"n":"o#p"}]""",
        $"[{string.Join(',', Yaml.Documents("a: &a\n  b: 1 # one\n  c: [x, \"y: z\"]\nd: { <<: *a, e: 2 }\nf:\n- g: h\n  i: j\n- k\n- [l]\nm:\n---\nn: o#p\n").Select(d => d.ToJsonString()))}]");

    static async Task<int> Run(IReadOnlyList<string> command, int port)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1).Select(w => w.Replace("/8080", $"/{port}", StringComparison.Ordinal)))
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }
}
