using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Hosting;
using OrleansOms.Host;
using OrleansOms.Host.Cluster;
using OrleansOms.Tests.Architecture;

namespace OrleansOms.Tests.Operation;

/// <summary>
/// What is deployed: the manifests for Kubernetes and Docker and the recipe of the image, held against the program and against
/// each other.
/// </summary>
/// <param name="Kubernetes">Text of <c>deploy/kubernetes/oms.yaml</c>.</param>
/// <param name="Compose">Text of <c>docker-compose.yml</c>.</param>
/// <param name="Image">Text of <c>deploy/Dockerfile</c>.</param>
sealed partial record Manifests(string Kubernetes, string Compose, string Image)
{
    /// <summary>Folders that a container may write to.</summary>
    static readonly string[] Writable = ["/data", "/tmp"];

    const string Believes = "ASPNETCORE_FORWARDEDHEADERS_ENABLED";

    /// <summary>Longest time in which a process ends what it has begun, in seconds.</summary>
    static readonly double Drain = (Host.Cluster.Drain.OfFrontEnd + new HostOptions().ShutdownTimeout).TotalSeconds;

    static readonly string Version = typeof(OmsHost).Assembly.GetName().Version!.ToString(3);

    /// <summary>Those of the repository.</summary>
    public static Manifests Ours { get; } = new(Read("deploy/kubernetes/oms.yaml"), Read("docker-compose.yml"), Read("deploy/Dockerfile"));

    /// <summary>Its objects of a kind.</summary>
    public IEnumerable<JsonNode> Objects(string kind) => Yaml.Documents(Kubernetes).Where(d => Text(d["kind"]) == kind);

    /// <summary>Settings that the image brings.</summary>
    public IReadOnlyDictionary<string, string> ImageSettings => EnvironmentLine().Matches(Image)
        .SelectMany(m => m.Groups[1].Value.Split(' ')).Select(p => p.Split('=', 2)).ToDictionary(p => p[0], p => p[1]);

    /// <summary>The command by which Docker asks whether a container is well.</summary>
    public IReadOnlyList<string> HealthCheck => JsonNode.Parse(HealthLine().Match(Image.Replace("\\\n", "", StringComparison.Ordinal)).Groups[1].Value)!
        .AsArray().Select(w => Text(w)!).ToList();

    /// <summary>What makes the program of the image, without the folder that it is put into.</summary>
    public IReadOnlyList<string> Publish => PublishLine().Match(Image) is { Success: true } m
        ? [.. (m.Groups[1].Value + m.Groups[2].Value).Split(' ', StringSplitOptions.RemoveEmptyEntries)]
        : throw new InvalidOperationException("The image does not publish the program into /app.");

    /// <summary>The container of a deployment.</summary>
    public static JsonNode Container(JsonNode deployment) => deployment["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Single()!;

    /// <summary>A text, or null.</summary>
    public static string? Text(JsonNode? node) => node?.GetValue<string>();

    /// <summary>Everything that is wrong with them.</summary>
    public IReadOnlyList<string> Faults() => [.. OfKubernetes(), .. OfCompose(), .. OfImage()];

    int Port => new Uri(ImageSettings["ASPNETCORE_URLS"]).Port;

    IEnumerable<string> OfKubernetes()
    {
        var deployments = Objects("Deployment").ToList();
        var roles = deployments.Select(d => Role(Container(d)["env"]!.AsArray().SingleOrDefault(e => Text(e!["name"]) == "Oms__Role")?["value"])).ToList();
        if (!roles.Order().SequenceEqual([HostRole.Silo, HostRole.Web])) yield return $"the roles are {string.Join(", ", roles)}";
        foreach (var deployment in deployments)
        {
            var name = Text(deployment["metadata"]!["name"]);
            foreach (var fault in (string[])[.. OfDeployment(deployment), .. OfContainer(deployment), .. OfPolicies(deployment)]) yield return $"{name}: {fault}";
        }
        var service = Objects("Service").Single()["spec"]!;
        var served = deployments.Where(d => Selects(service["selector"], d)).ToList();
        if (served is not [var web] || Text(web["metadata"]!["name"]) != "oms-web") yield return "the service does not lead to the front ends";
        else if (service["ports"]!.AsArray().Any(p => PortOf(Container(web), Text(p!["targetPort"])) != Port)) yield return "the service leads to another port";
    }

    IEnumerable<string> OfDeployment(JsonNode deployment)
    {
        var (spec, pod) = (deployment["spec"]!, deployment["spec"]!["template"]!["spec"]!);
        var replicas = Number(spec["replicas"]);
        if (replicas < 2) yield return "one alone cannot be replaced";
        if (Text(spec["strategy"]?["rollingUpdate"]?["maxUnavailable"]) != "0") yield return "one goes before the next one is there";
        if (!Selects(spec["selector"]!["matchLabels"], deployment)) yield return "it does not find its pods";
        var budgets = Objects("PodDisruptionBudget").Where(b => Selects(b["spec"]!["selector"]!["matchLabels"], deployment)).ToList();
        if (budgets is not [var budget]) yield return $"it has {budgets.Count} disruption budgets";
        else if (replicas - (Number(budget["spec"]!["minAvailable"]) ?? replicas - Number(budget["spec"]!["maxUnavailable"])) != 1)
            yield return "its budget is not one pod at a time";
        if (!(Number(pod["terminationGracePeriodSeconds"]) > Drain)) yield return $"it is killed before the {Drain} s of its drain have passed";
        var user = pod["securityContext"];
        if (Text(user?["runAsNonRoot"]) != "true" || !(Number(user?["runAsUser"]) > 0)) yield return "it runs as root";
        if (Text(user?["seccompProfile"]?["type"]) != "RuntimeDefault") yield return "it may call everything of the kernel";
        if (Text(user?["fsGroup"]) != Text(user?["runAsUser"])) yield return "its volumes are another user's";
    }

    /// <summary>Whoever may reach it is named; what only the program itself may reach, nobody else may.</summary>
    IEnumerable<string> OfPolicies(JsonNode deployment)
    {
        var ports = Container(deployment)["ports"]!.AsArray().Select(p => Text(p!["name"])).ToList();
        var policies = Objects("NetworkPolicy").Where(p => Selects(p["spec"]!["podSelector"]?["matchLabels"], deployment)).ToList();
        if (!policies.Any(p => Names(p["spec"]!["policyTypes"]).Contains("Ingress"))) yield return "anybody may reach it";
        foreach (var rule in policies.SelectMany(p => p["spec"]!["ingress"]?.AsArray() ?? []))
        {
            var (peers, open) = (rule!["from"]?.AsArray() ?? [], (rule["ports"]?.AsArray() ?? []).Select(p => Text(p!["port"])).ToList());
            if (peers.Count == 0 || peers.Any(p => p!.AsObject().Any(s => s.Value!["matchLabels"] is not JsonObject { Count: > 0 }))) yield return "anybody may reach it";
            if (open.Count == 0 || open.Except(ports).Any()) yield return "its policy is for other ports";
            if (open.Any(p => p is not "http") && peers.Any(p => p!["namespaceSelector"] is not null)) yield return "others may tell it what to do";
        }
    }

    /// <summary>What a front end believes of the ingress or the proxy before it.</summary>
    static IEnumerable<string> OfTrust(HostRole? role, JsonNode? believes)
    {
        if (role == HostRole.Web && Text(believes) != "true") yield return "it takes all callers for one";
    }

    IEnumerable<string> OfContainer(JsonNode deployment)
    {
        var (pod, container) = (deployment["spec"]!["template"]!["spec"]!, Container(deployment));
        var role = Role(container["env"]!.AsArray().SingleOrDefault(e => Text(e!["name"]) == "Oms__Role")?["value"]);
        if (Text(deployment["metadata"]!["labels"]!["app.kubernetes.io/component"]) != $"{role}".ToLowerInvariant()) yield return "its label is another role's";
        if (Text(container["image"]) != $"{ImageName}:{Version}") yield return $"its image is {Text(container["image"])}";
        foreach (var fault in OfTrust(role, container["env"]!.AsArray().SingleOrDefault(e => Text(e!["name"]) == Believes)?["value"])) yield return fault;
        foreach (var name in container["env"]!.AsArray().Select(e => Text(e!["name"])!).Where(n => !SettingsTests.Known.ContainsKey(n)))
            yield return $"{name} is no setting";
        foreach (var key in container["env"]!.AsArray().Select(e => Text(e!["valueFrom"]?["secretKeyRef"]?["key"])).OfType<string>())
            if (!Kubernetes.Contains($"--from-literal={key}=", StringComparison.Ordinal)) yield return $"nobody makes the secret {key}";
        var security = container["securityContext"];
        if (Text(security?["readOnlyRootFilesystem"]) != "true") yield return "its root file system can be written to";
        if (Text(security?["allowPrivilegeEscalation"]) != "false") yield return "it may gain rights";
        if (security?["capabilities"]?["drop"]?.AsArray() is not [var all] || Text(all) != "ALL") yield return "it has capabilities";
        var mounts = (container["volumeMounts"]?.AsArray() ?? []).ToDictionary(m => Text(m!["mountPath"])!, m => Text(m!["name"]));
        if (!mounts.Keys.Order().SequenceEqual(Writable)) yield return $"it may write to {string.Join(", ", mounts.Keys.Order())}";
        if (mounts.Values.Except((pod["volumes"]?.AsArray() ?? []).Select(v => Text(v!["name"]))).Any()) yield return "a volume is missing";
        int[] ports = role == HostRole.Silo ? [Port, new SiloSettings().Port, new SiloSettings().GatewayPort] : [Port];
        if (!ports.Order().SequenceEqual((container["ports"]?.AsArray() ?? []).Select(p => Number(p!["containerPort"]) ?? 0).Order()))
            yield return $"it listens on {string.Join(", ", ports)}, which the manifest does not say";
        foreach (var probe in (string[])["startupProbe", "livenessProbe", "readinessProbe"])
        {
            if (container[probe]?["httpGet"] is not { } get) yield return $"it has no {probe}";
            else if (PortOf(container, Text(get["port"])) != Port) yield return $"its {probe} asks at another port";
        }
        if (ProbePath(container, "livenessProbe") == ProbePath(container, "readinessProbe")) yield return "it is restarted when it is not ready";
        if (container["resources"]?["limits"]?["memory"] is null) yield return "its memory has no limit";
    }

    IEnumerable<string> OfCompose()
    {
        var services = Yaml.Documents(Compose).Single()["services"]!.AsObject();
        var ours = services.Where(s => Text(s.Value!["image"]) == ImageName).ToDictionary(s => s.Key, s => s.Value!);
        var roles = ours.ToDictionary(s => s.Key, s => Role(s.Value["environment"]?["Oms__Role"]));
        foreach (var (role, least) in new[] { (HostRole.Silo, 2), (HostRole.Web, 2), (HostRole.Proxy, 1) })
            if (roles.Values.Count(r => r == role) < least) yield return $"compose: there are too few of the role {role}";
        foreach (var (name, service) in ours)
        {
            if (Text(service["read_only"]) != "true") yield return $"{name}: its root file system can be written to";
            if (service["cap_drop"]?.AsArray() is not [var all] || Text(all) != "ALL") yield return $"{name}: it has capabilities";
            if (service["security_opt"]?.AsArray().Any(o => Text(o) == "no-new-privileges:true") != true) yield return $"{name}: it may gain rights";
            if (!(service["tmpfs"]?.AsArray() ?? []).Select(t => Text(t)!.Split(':')[0]).Order().SequenceEqual(Writable)) yield return $"{name}: it may write elsewhere";
            if (!(Number(Text(service["stop_grace_period"])?.TrimEnd('s')) > Drain)) yield return $"{name}: it is killed before its drain has passed";
            foreach (var setting in service["environment"]!.AsObject().Select(e => e.Key).Where(k => k.StartsWith("Oms__", StringComparison.Ordinal) && !SettingsTests.Known.ContainsKey(k)))
                yield return $"{name}: {setting} is no setting";
            foreach (var fault in OfTrust(roles[name], service["environment"]![Believes])) yield return $"{name}: {fault}";
            if (roles[name] == HostRole.Silo && Text(service["environment"]!["Oms__Silo__Address"]) != name) yield return $"{name}: others look for it elsewhere";
            foreach (var other in Names(service["depends_on"]).Where(n => !services.ContainsKey(n))) yield return $"{name}: it waits for {other}";
            if (roles[name] != HostRole.Proxy) continue;
            var fronts = (Text(service["environment"]!["Oms__Fronts"]) ?? "").Split(',');
            if (!fronts.Order().SequenceEqual(roles.Where(r => r.Value == HostRole.Web).Select(r => $"http://{r.Key}:{Port}").Order())) yield return $"{name}: it leads to {string.Join(", ", fronts)}";
            if (!(service["ports"]?.AsArray() ?? []).All(p => Text(p)!.EndsWith($":{Port}", StringComparison.Ordinal))) yield return $"{name}: it is asked at another port";
        }
        foreach (var variable in Required().Matches(Compose).Select(m => m.Groups[1].Value).Distinct())
            if (!Compose.Contains($"{variable}=%s", StringComparison.Ordinal) && !Compose.Contains($"{variable}=oms_%s", StringComparison.Ordinal))
                yield return $"compose: nobody makes {variable}";
    }

    IEnumerable<string> OfImage()
    {
        var stage = Image[Image.LastIndexOf("\nFROM ", StringComparison.Ordinal)..];
        if (!stage.StartsWith($"\nFROM mcr.microsoft.com/dotnet/aspnet:{Environment.Version.ToString(2)}\n", StringComparison.Ordinal)) yield return "image: it holds more than it needs to run";
        var user = UserLine().Matches(stage).Select(m => m.Groups[1].Value).LastOrDefault();
        if (user is not "$APP_UID") yield return $"image: it runs as {user ?? "root"}";
        if (!stage.Contains($"\nEXPOSE {Port}\n", StringComparison.Ordinal)) yield return "image: it listens on another port";
        if (!stage.Contains($"\nVOLUME {ImageSettings["Oms__Data"]}\n", StringComparison.Ordinal)) yield return "image: its data is lost with it";
        foreach (var name in ImageSettings.Keys.Where(k => !SettingsTests.Known.ContainsKey(k))) yield return $"image: {name} is no setting";
        if (!stage.Contains($"ENTRYPOINT [\"dotnet\", \"{typeof(OmsHost).Assembly.GetName().Name}.dll\"]\nCMD [\"up\"]", StringComparison.Ordinal)) yield return "image: it starts something else";
    }

    string? ImageName => Text(Yaml.Documents(Compose).Single()["x-oms"]?["image"]);

    /// <summary>The path that a probe asks for.</summary>
    public static string? ProbePath(JsonNode container, string probe) => Text(container[probe]?["httpGet"]?["path"]);

    static int? PortOf(JsonNode container, string? name) =>
        Number((container["ports"]?.AsArray() ?? []).SingleOrDefault(p => Text(p!["name"]) == name)?["containerPort"]);

    static bool Selects(JsonNode? labels, JsonNode deployment) => labels is JsonObject { Count: > 0 } wanted
        && wanted.All(l => Text(deployment["spec"]!["template"]!["metadata"]!["labels"]![l.Key]) == Text(l.Value));

    static IEnumerable<string> Names(JsonNode? node) => node switch
    {
        JsonObject map => map.Select(m => m.Key), JsonArray list => list.Select(l => Text(l)!), _ => [],
    };

    static HostRole? Role(JsonNode? text) => Enum.TryParse<HostRole>(Text(text), ignoreCase: true, out var role) ? role : null;

    static int? Number(JsonNode? node) => Number(Text(node));

    static int? Number(string? text) => int.TryParse(text, out var n) ? n : null;

    static string Read(string file) => File.ReadAllText(Path.Combine(Repository.Root, file)).ReplaceLineEndings("\n");

    [GeneratedRegex(@"^ENV (.*)$", RegexOptions.Multiline)]
    private static partial Regex EnvironmentLine();

    [GeneratedRegex(@"^HEALTHCHECK .*?CMD (\[.*\])$", RegexOptions.Multiline)]
    private static partial Regex HealthLine();

    [GeneratedRegex(@"^RUN dotnet (publish .*) -o /app\b(.*)$", RegexOptions.Multiline)]
    private static partial Regex PublishLine();

    [GeneratedRegex(@"^USER (.*)$", RegexOptions.Multiline)]
    private static partial Regex UserLine();

    [GeneratedRegex(@"\$\{([A-Z_]+):\?")]
    private static partial Regex Required();
}
