using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Operation;

/// <summary>
/// The program as the manifest for Kubernetes runs it, without an engine for containers: its user without any right, a root
/// file system that nobody can write to, and only the volumes that are mounted.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class SandboxTests
{
    const string Key = "oms_sandbox_key_000000000000000001";

    /// <summary>
    /// Makes a root of what this machine has, with the program in /app, and becomes the command in it. Its arguments are an
    /// empty folder for the root, the user, the program's folder, that of .NET, the folders that can be written to (with colons
    /// between) and the command.
    /// </summary>
    const string Script =
        """
        root=$1 user=$2 app=$3 dotnet=$4
        IFS=: read -ra volumes <<< "$5"
        shift 5
        mount -t tmpfs -o mode=755 root $root
        for at in bin sbin lib lib32 lib64 usr etc opt dev proc sys; do
          if [ -L /$at ]; then cp -P /$at $root/$at
          elif [ -d /$at ]; then mkdir $root/$at; mount --rbind /$at $root/$at; fi
        done
        mkdir $root/app $root/dotnet $root/home "${volumes[@]/#/$root}"
        mount --bind "$app" $root/app
        mount --bind "$dotnet" $root/dotnet
        for volume in "${volumes[@]}"; do mount -t tmpfs -o mode=700,uid=$user,gid=$user volume "$root$volume"; done
        for at in app dotnet usr etc opt; do if mountpoint -q $root/$at; then mount -o remount,bind,ro $root/$at; fi; done
        mount -o remount,ro $root
        exec chroot $root /usr/bin/env -C /app PATH=/dotnet:/usr/bin:/bin HOME=/home/app TMPDIR=/tmp DOTNET_ROOT=/dotnet \
          setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
        """;

    /// <summary>What runs the tests, also where they have a program of their own to begin with.</summary>
    static readonly string Dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));

    /// <summary>What is said by whoever wanted to write somewhere else.</summary>
    static readonly string[] Closed = ["read-only file system", "permission denied", "access to the path", "operation not permitted"];

    static readonly JsonNode Silo = Deployment("oms-silo"), Web = Deployment("oms-web");

    [Fact]
    public async Task It_starts_takes_an_order_and_stops_in_time_with_what_the_manifest_allows()
    {
        Assert.SkipUnless(await IsPossible(), "This needs root, and namespaces for mounts.");
        using var root = new TestFolder();
        using var app = new TestFolder();
        var (code, said) = await Run([Dotnet, .. Manifests.Ours.Publish, "--no-build", "-o", app.Path, "-nodeReuse:false"]);
        Assert.True(code == 0, said);
        await using var database = await TestDatabase.Create();
        await using var silo = Process(Silo, root.Path, app.Path, database.ConnectionString);
        await using var web = Process(Web, root.Path, app.Path, database.ConnectionString);
        await silo.Start();
        await web.Start();

        var api = new Api(web.Url, Key);
        await api.Must(201, HttpMethod.Put, "/api/v1/warehouses/LON", JsonNode.Parse(
            """{"name":"London","active":true,"address":{"line1":"1 Dock Road","city":"London","country":"GB"}}"""));
        await api.Must(201, HttpMethod.Put, "/api/v1/products/A", new JsonObject { ["name"] = "A" });
        await api.Must(201, HttpMethod.Post, "/api/v1/stock/receipts", JsonNode.Parse(
            """{"warehouse":"LON","reference":"r","lines":[{"sku":"A","quantity":20}]}"""), Api.NewKey());
        var order = await api.Place(Api.Order(("A", 1)));
        Assert.Equal("allocated", order["status"]!.GetValue<string>());
        Assert.StartsWith("https://orders.example.com/track/", order["trackingUrl"]!.GetValue<string>(), StringComparison.Ordinal);

        // As with kubectl exec.
        var (listed, keys) = await web.Run("key", "list");
        Assert.True(listed == 0 && keys.StartsWith("bootstrap\t", StringComparison.Ordinal), keys);

        await web.Signal("TERM");
        await EndsInTime(web, Web);
        await silo.Signal("TERM");
        await EndsInTime(silo, Silo);
        Assert.DoesNotContain(silo.Said.Concat(web.Said), line => Closed.Any(c => line.Contains(c, StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public async Task The_place_of_that_test_is_as_closed_as_it_says()
    {
        Assert.SkipUnless(await IsPossible(), "This needs root, and namespaces for mounts.");
        const string look =
            """
            id -u; id -g; pwd; sed -nE 's/^(CapEff|CapBnd|NoNewPrivs):\s*//p' /proc/self/status
            for at in / /app /home /usr /usr/lib /etc /var /tmp /data /dotnet; do
              if [ -d $at ] && (: > $at/written) 2> /dev/null; then echo "$at"; fi
            done
            """;
        using var root = new TestFolder();
        var (code, said) = await Run([.. Within(Silo, root.Path, AppContext.BaseDirectory), "sh", "-c", look]);
        Assert.Equal((0, "1654 1654 /app 0000000000000000 0000000000000000 1 /tmp /data"), (code, string.Join(' ', said.Split('\n', StringSplitOptions.RemoveEmptyEntries))));
    }

    static async Task EndsInTime(OmsProcess process, JsonNode deployment)
    {
        var grace = int.Parse(Manifests.Text(deployment["spec"]!["template"]!["spec"]!["terminationGracePeriodSeconds"])!);
        await process.Ended.WaitAsync(TimeSpan.FromSeconds(grace));
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>The environment of the manifest over that of the image; what comes from elsewhere comes from here.</summary>
    static OmsProcess Process(JsonNode deployment, string root, string app, string connectionString)
    {
        var own = Manifests.Container(deployment)["env"]!.AsArray().Select(e => (Manifests.Text(e!["name"])!, Manifests.Text(e["value"])
            ?? (e["valueFrom"]!["fieldRef"] is not null ? "127.0.0.1" : Manifests.Text(e["valueFrom"]!["secretKeyRef"]!["key"]) switch
            {
                "connection-string" => connectionString, "api-key" => Key, "admin-password" => "correct horse battery",
                var other => throw new InvalidOperationException($"What is the secret {other}?"),
            })));
        var port = TestPort.Free();
        // Ports of this machine may be taken: all that is not as in the manifest.
        var image = Manifests.Ours.ImageSettings.Select(s => (s.Key, s.Value.Replace(":8080", $":{port}", StringComparison.Ordinal)));
        return new OmsProcess(connectionString, [.. image, .. own])
        {
            Url = new Uri($"http://127.0.0.1:{port}"), Program = "/app/OrleansOms.Host.dll", Within = Within(deployment, root, app),
        };
    }

    static string[] Within(JsonNode deployment, string root, string app)
    {
        var user = Manifests.Text(deployment["spec"]!["template"]!["spec"]!["securityContext"]!["runAsUser"])!;
        var volumes = string.Join(':', Manifests.Container(deployment)["volumeMounts"]!.AsArray().Select(m => Manifests.Text(m!["mountPath"])));
        return
        [
            "unshare", "--mount", "--propagation", "private", "--", "bash", "-euc", Script, "sandbox",
            root, user, app, Path.GetDirectoryName(Dotnet)!, volumes,
        ];
    }

    static async Task<bool> IsPossible() => Environment.IsPrivilegedProcess && OperatingSystem.IsLinux()
        && (await Run(["unshare", "--mount", "--propagation", "private", "--", "mount", "-t", "tmpfs", "try", "/mnt"])).Code == 0;

    static async Task<(int Code, string Said)> Run(string[] command)
    {
        using var process = System.Diagnostics.Process.Start(
            new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var said = await process.StandardOutput.ReadToEndAsync() + await error;
        await process.WaitForExitAsync();
        return (process.ExitCode, said);
    }

    static JsonNode Deployment(string name) =>
        Manifests.Ours.Objects("Deployment").Single(d => Manifests.Text(d["metadata"]!["name"]) == name);
}
