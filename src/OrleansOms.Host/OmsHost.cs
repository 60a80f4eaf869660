using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans.Configuration;
using Orleans.Dashboard;
using Orleans.Messaging;
using Orleans.Runtime.Membership;
using Orleans.Serialization;
using OrleansOms.Connectors.Places;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Grains;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Grains.Orders;
using OrleansOms.Grains.Shipments;
using OrleansOms.Grains.Stock;
using OrleansOms.Host.Catalogue;
using OrleansOms.Host.Cluster;
using OrleansOms.Host.Demo;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Http;
using OrleansOms.Host.Live;
using OrleansOms.Host.OpenApi;
using OrleansOms.Host.Orders;
using OrleansOms.Host.Security;
using OrleansOms.Host.Shipments;
using OrleansOms.Host.Stock;
using OrleansOms.Host.Ui;
using OrleansOms.Host.Ui.Track;
using OrleansOms.Host.Watching;
using OrleansOms.Postgres;
using OrleansOms.Postgres.Log;
using OrleansOms.Postgres.Orders;
using OrleansOms.Postgres.Security;
using OrleansOms.Postgres.Shipments;
using OrleansOms.Postgres.Stock;

namespace OrleansOms.Host;

/// <summary>Puts the program together. Everything that it consists of is named here once.</summary>
public static partial class OmsHost
{
    static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(5), Probe = TimeSpan.FromSeconds(1.2);

    /// <summary>
    /// A little longer than it takes until every front end knows that a silo is dead: it is found silent by at most four probes,
    /// the last three of which were not answered, and then each must look (<see cref="LostSilo"/>).
    /// </summary>
    static readonly TimeSpan SilenceOfSilo = TimeSpan.FromSeconds(5.5);

    /// <summary>Where it listens if nothing else is said.</summary>
    public const string DefaultUrl = "http://localhost:8080";

    static readonly Dictionary<string, string?> Defaults = new(Telemetry.Defaults)
    {
        ["urls"] = DefaultUrl,
        // A help for development that is at every address, for reading only: a POST to none of ours would get 405.
        ["DisableStaticAssetNotFoundRuntimeFallback"] = "true",
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft"] = "Warning",
        ["Logging:LogLevel:Orleans"] = "Warning",
        ["Logging:LogLevel:Polly"] = "Warning",
        // Notes about the garbage collector, about clocks while a machine starts, about a dashboard that nobody looks at, and
        // about keys that live in our database.
        ["Logging:LogLevel:Orleans.Runtime.Silo"] = "Error",
        ["Logging:LogLevel:Orleans.Runtime.Watchdog"] = "Error",
        ["Logging:LogLevel:Orleans.Dashboard"] = "Error",
        ["Logging:LogLevel:Microsoft.AspNetCore.DataProtection"] = "Error",
        ["Logging:LogLevel:Microsoft.Hosting.Lifetime"] = "Warning",
    };

    /// <summary>
    /// A program that is ready to be started: the database has the present schema, the secrets are there.
    /// </summary>
    /// <param name="args">Command-line settings such as <c>--urls http://127.0.0.1:0</c>.</param>
    /// <param name="connectionString">The database; null to take the one that is configured.</param>
    /// <param name="isDemo">Whether the demo company is loaded and played.</param>
    /// <param name="adjust">What tests replace.</param>
    /// <exception cref="InvalidOperationException">A setting makes no sense, or the database cannot be used.</exception>
    public static async Task<OmsApplication> Build(
        string[] args, string? connectionString = null, bool isDemo = false, Action<WebApplicationBuilder>? adjust = null)
    {
        var builder = NewBuilder(args);
        var (settings, rules) = (HostSettings.From(builder.Configuration), GrainSettings.From(builder.Configuration));
        connectionString ??= builder.Configuration.GetConnectionString("Oms")
            ?? throw new InvalidOperationException("There is no database: set ConnectionStrings__Oms.");
        foreach (var database in (string[])[connectionString, .. settings.LogConnections]) await Migrator.Run(database);

        FirstSecrets secrets;
        RenewedSecret links;
        var histories = new List<Timeline>();
        await using (var database = NpgsqlDataSource.Create(connectionString))
        {
            await using (var connection = await database.OpenConnectionAsync()) await OrleansSchema.Check(connection);
            secrets = await FirstSecrets.Prepare(settings, database);
            await using (var logs = new LogDatabases(settings.LogConnections))
            {
                foreach (var source in (NpgsqlDataSource[])[database, .. logs.All])
                    await using (var session = await source.OpenConnectionAsync()) histories.Add(await Timeline.Of(session));
                var all = logs.All is [] ? [database] : logs.All;
                await LogDatabases.Check(database, all);
                await Checkpoints.StayWithin(database, all);
            }
            var kept = new Secrets(database);
            await kept.GetOrCreate(RenewedSecrets.Links, RenewedSecrets.LinkBytes);
            links = (await kept.Find(RenewedSecrets.Links))!;
        }
        builder.Services.AddOmsDesk(rules);
        AddDatabase(builder.Services, connectionString, settings, histories);
        AddOrleans(builder, connectionString, settings, ClusterOf(settings, histories));
        Telemetry.Add(builder, settings.Role);
        if (settings.HasWeb) AddWeb(builder, settings, links);
        if (isDemo)
        {
            builder.Services.TryAddSingleton<KnownThings>(); // A silo without an API has none yet.
            builder.Services.AddHostedService<DemoPlay>();
        }
        AddEnd(builder, settings);
        adjust?.Invoke(builder);

        var app = builder.Build();
        if (secrets.IsFormerKey) LogFormerKey(app.Logger);
        app.UseMiddleware<ProblemMiddleware>();
        app.UseRouting();
        if (settings.HasWeb) MapWeb(app);
        MapWatching(app);
        return new OmsApplication(app, secrets);
    }

    /// <summary>
    /// The API without anything behind it, to tell what it is: it can write its OpenAPI document and nothing else.
    /// </summary>
    public static WebApplication BuildForDescription()
    {
        var builder = NewBuilder(["--urls", "http://127.0.0.1:0"]);
        AddDatabase(builder.Services, "Host=127.0.0.1", new HostSettings(), [default]);
        builder.Services.AddOmsDesk(new OmsSettings());
        builder.Services.AddSingleton<IGrainFactory>(_ => throw new InvalidOperationException("Nothing is behind it."));
        builder.Services.RemoveAll<IHostedService>();
        AddApi(builder.Services, new HostSettings(), _ => new RenewedSecret(new byte[RenewedSecrets.LinkBytes], []));
        var app = builder.Build();
        app.UseRouting();
        MapApi(app);
        return app;
    }

    /// <summary>How it is told to stop, and by whom.</summary>
    static void AddEnd(WebApplicationBuilder builder, HostSettings settings)
    {
        var parent = builder.Configuration.GetValue<int?>(ParentWatch.Argument.TrimStart('-'));
        if (parent is { } id)
            builder.Services.AddHostedService(p => new ParentWatch(id, p.GetRequiredService<IHostApplicationLifetime>()));
        var time = settings.Role == HostRole.Web ? Drain.OfFrontEnd : TimeSpan.Zero;
        builder.Services.AddSingleton(p => new Drain(time, parent is not null, p.GetRequiredService<IHostApplicationLifetime>()));
        builder.Services.AddSingleton<IHostLifetime>(p => p.GetRequiredService<Drain>());
    }

    static WebApplicationBuilder NewBuilder(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ApplicationName = typeof(OmsHost).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        ((IConfigurationBuilder)builder.Configuration).Sources.Insert(
            0, new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource { InitialData = Defaults });
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.ConfigureKestrel((context, kestrel) =>
        {
            kestrel.AddServerHeader = false;
            // Bodies have their limit where they are read. What is a little longer is let in to be thrown away: whoever
            // sends it would else see the connection break instead of the answer.
            kestrel.Limits.MaxRequestBodySize = 4 * HostSettings.From(context.Configuration).MaxBodyBytes;
        });
        return builder;
    }

    /// <param name="histories">Of the database of the lists, and of the logs' where they are in others.</param>
    static void AddDatabase(
        IServiceCollection services, string connectionString, HostSettings settings, IReadOnlyList<Timeline> histories)
    {
        string Pooled(string database) => new NpgsqlConnectionStringBuilder(database)
        {
            MaxPoolSize = settings.DatabaseConnections, ApplicationName = "OrleansOms",
            // No session of ours is left with a setting of its own, so none needs to be cleaned between two uses.
            NoResetOnClose = true,
        }.ConnectionString;
        services.TryAddSingleton(TimeProvider.System);
        // Figures tell pools apart by their names, which would else be the connection strings.
        services.AddSingleton<Timelines>();
        services.AddSingleton(p => p.GetRequiredService<Timelines>().Keep(new(Pooled(connectionString)) { Name = "oms" }, histories[0]));
        services.AddSingleton(p => new LogDatabases(
            settings.LogConnections.Select(Pooled), (log, number) => p.GetRequiredService<Timelines>().Keep(log, histories[number + 1])));
        services.AddSingleton<LogMetrics>();
        services.AddSingleton<IEventLog>(p => new EventLog(
            p.GetRequiredService<LogDatabases>().All is { Count: > 0 } logs ? logs : [p.GetRequiredService<NpgsqlDataSource>()],
            metrics: p.GetRequiredService<LogMetrics>()));
        services.AddSingleton<ICheckpoints, Checkpoints>();
        services.AddSingleton<IReadModel, ReadModel>();
        services.AddSingleton<INumberSequence, NumberSequence>();
        services.AddSingleton<IPlaces>(_ => PostcodePlaces.Load(settings.Postcodes));
        services.AddSingleton<OrderQueries>();
        services.AddSingleton<ShipmentQueries>();
        services.AddSingleton<StockQueries>();
        services.AddSingleton<StockHistory>();
        services.AddSingleton<Ledger>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<Operators>();
        services.AddSingleton<Secrets>();
    }

    /// <summary>
    /// Programs in different histories of a server are no members of one cluster: what one of them has read there may never
    /// have been in the other's.
    /// </summary>
    static string ClusterOf(HostSettings settings, IEnumerable<Timeline> histories) =>
        histories.All(h => h.Number == 1) ? settings.Silo.ClusterId
            : $"{settings.Silo.ClusterId}-{string.Join('.', histories.Select(h => h.Number))}";

    static void AddOrleans(WebApplicationBuilder builder, string connectionString, HostSettings settings, string clusterId)
    {
        var (database, members) =
            (OrleansSchema.ConnectionString(connectionString), OrleansSchema.MembershipConnectionString(connectionString));
        void Name(ClusterOptions o) => (o.ClusterId, o.ServiceId) = (clusterId, settings.Silo.ServiceId);
        builder.Services.AddSingleton<IOutgoingGrainCallFilter>(new Redelivery(SilenceOfSilo));
        // Why a grain could not be placed is told in a word of this library; whoever waits for what cannot be told is told of a fault.
        builder.Services.Configure<ExceptionSerializationOptions>(o => o.SupportedNamespacePrefixes.Add("Polly"));
        if (!settings.HasSilo)
        {
            builder.UseOrleansClient(client => client
                .Configure<ClusterOptions>(Name)
                .AddDashboard(GrainDashboard.Configure)
                // Nobody tells a front end that the silo that it waits for has died; whoever asks again finds another one.
                .Configure<ClientMessagingOptions>(o => o.ResponseTimeout = SilenceOfSilo)
                // A silo that stands still closes no connection: only the table tells that it is no way in any more.
                .Configure<GatewayOptions>(o => o.GatewayListRefreshPeriod = GatewayList.Look)
                .UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = (OrleansSchema.Invariant, members)));
            builder.Services.AddSingleton(p => new GatewayList(ActivatorUtilities.CreateInstance<AdoNetGatewayListProvider>(p)));
            builder.Services.AddSingleton<IGatewayListProvider>(p => p.GetRequiredService<GatewayList>());
            builder.Services.AddSingleton<IOutgoingGrainCallFilter, LostSilo>();
            return;
        }
        builder.UseOrleans(silo =>
        {
            silo.Configure<ClusterOptions>(Name);
            silo.Configure<ClusterMembershipOptions>(o =>
            {
                // A silo that was killed and comes back at another address is believed dead after three of these.
                o.IAmAliveTablePublishTimeout = SignOfLife;
                // Others believe it dead when it has not answered three of these in a row, and has said nothing for as
                // long as three of the longest take.
                (o.ProbeTimeout, o.MaxProbeTimeout) = (Probe, Probe);
                // Asked through another silo, it would live as long as it stands still: that one counts as unwell itself
                // while it hears nothing from the silent one, and has no say.
                o.EnableIndirectProbes = false;
                // What silos tell each other may be lost. One that has not heard that another is gone, and has come back at the
                // same address, would call it for as long as this: every refusal looks like a sign of life.
                o.TableRefreshTimeout = 2 * Probe;
            });
            // Where a grain is may be asked of one that is gone, and its answer be lost. Whoever asks again would wait for the same answer.
            silo.Configure<SiloMessagingOptions>(o => o.PlacementTimeout = SilenceOfSilo);
            silo.ConfigureEndpoints(
                AddressOf(settings.Silo.Address), FreeIfZero(settings.Silo.Port),
                FreeIfZero(settings.Silo.GatewayPort), listenOnAnyHostAddress: false);
            silo.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = (OrleansSchema.Invariant, members));
            silo.UseAdoNetReminderService(o => (o.Invariant, o.ConnectionString) = (OrleansSchema.Invariant, database));
            silo.AddAdoNetGrainStorage(
                SnapshotStore.Name, o => (o.Invariant, o.ConnectionString) = (OrleansSchema.Invariant, database));
            silo.Configure<GrainCollectionOptions>(CollectSoon);
            // Where each of a million orders was, as it would otherwise, is of no use when it rests.
            silo.Configure<GrainDirectoryOptions>(o => o.CacheSize = 100_000);
            silo.AddDashboard(GrainDashboard.Configure);
            Handover.Add(silo.Services, SilenceOfSilo);
        });
        builder.Services.AddOmsGrains();
    }

    /// <summary>
    /// What is touched a few times and then rests for hours does not stay in memory; stocks, which are busy all day, do.
    /// </summary>
    static void CollectSoon(GrainCollectionOptions options)
    {
        options.CollectionQuantum = TimeSpan.FromSeconds(15);
        Type[] resting =
            [typeof(OrderGrain), typeof(ShipmentGrain), typeof(MovementGrain), typeof(ProductGrain), typeof(WarehouseGrain)];
        foreach (var grain in resting) options.ClassSpecificCollectionAge[grain.FullName!] = TimeSpan.FromMinutes(1);
    }

    /// <summary>A name, such as that of a service among containers, stands for its first address.</summary>
    static IPAddress AddressOf(string nameOrAddress)
    {
        if (IPAddress.TryParse(nameOrAddress, out var address)) return address;
        try { return Dns.GetHostAddresses(nameOrAddress)[0]; }
        catch (SocketException e)
        {
            throw new InvalidOperationException($"Oms:Silo:Address: {nameOrAddress} is no address and no known name.", e);
        }
    }

    static int FreeIfZero(int port) => port == 0 ? FreePort.Next() : port;

    static void AddWeb(WebApplicationBuilder builder, HostSettings settings, RenewedSecret links)
    {
        AddApi(builder.Services, settings, p => p.GetRequiredService<RenewedSecrets>().OfLinks);
        AddPeople(builder.Services);
        builder.Services.AddSingleton(p => ActivatorUtilities.CreateInstance<RenewedSecrets>(p, links));
        builder.Services.AddHostedService(p => p.GetRequiredService<RenewedSecrets>());
        builder.AddLive();
        builder.AddTracking();
        builder.AddScreens();
    }

    static void AddApi(IServiceCollection services, HostSettings settings, Func<IServiceProvider, RenewedSecret> links)
    {
        services.AddSingleton(settings);
        services.AddSingleton<KeyRing>();
        services.AddSingleton<LoginRing>();
        services.AddSingleton<Gate>();
        services.AddSingleton<KnownThings>();
        services.AddSingleton<RefusalMetrics>();
        services.AddSingleton(p => new TrackingLinks(
            () => links(p), TimeSpan.FromDays(settings.TrackingDays), settings.PublicUrl,
            () => ListenAddress.Of(
                p.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First())));
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        ApiDocument.Add(services);
    }

    static void AddPeople(IServiceCollection services)
    {
        services.AddSingleton<OperatorLogin>();
        // Else the folder of the program would be part of every cookie: an upgrade in another one would end all logins.
        services.AddDataProtection().SetApplicationName("OrleansOms");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(p => new ConfigureOptions<KeyManagementOptions>(
            o => o.XmlRepository = new CookieKeys(p.GetRequiredService<Secrets>())));
        services.AddSingleton<XmlKeyManager>();
        services.AddSingleton<CookieKeyManager>();
        services.AddSingleton<IKeyManager>(p => p.GetRequiredService<CookieKeyManager>());
        services.AddAntiforgery();
        services.AddAuthorization();
        services.AddAuthentication(OperatorLogin.Scheme).AddCookie(OperatorLogin.Scheme, OperatorLogin.Configure);
    }

    static void MapWeb(WebApplication app)
    {
        var gate = app.Services.GetRequiredService<Gate>();
        app.Use((http, next) => gate.Invoke(http, next));
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        MapApi(app);
        OperatorLogin.Map(app);
        app.MapLive();
        app.MapTracking();
        app.MapScreens();
        GrainDashboard.Map(app);
    }

    static void MapApi(WebApplication app)
    {
        OrderEndpoints.Map(app);
        ReservationEndpoints.Map(app);
        StockEndpoints.Map(app);
        AvailabilityEndpoint.Map(app);
        ShipmentEndpoints.Map(app);
        CatalogueEndpoints.Map(app);
        ApiDocument.Map(app);
    }

    static void MapWatching(WebApplication app)
    {
        Health.Map(app);
        app.MapPrometheusScrapingEndpoint("/metrics").ExcludeFromDescription().Add(endpoint =>
        {
            var figures = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = http => IsFromOutside(http.Request) ? Problem.OfStatus(404).ExecuteAsync(http) : figures(http);
        });
    }

    /// <summary>
    /// Whether it comes through a proxy or an ingress, which says for whom it asks. Figures are those of each process, and no
    /// business of who comes from outside.
    /// </summary>
    static bool IsFromOutside(HttpRequest request) =>
        request.Headers.ContainsKey(ForwardedHeadersDefaults.XForwardedForHeaderName)
        // Where it is believed, it has another name by now.
        || request.Headers.ContainsKey(ForwardedHeadersDefaults.XOriginalForHeaderName);

    [LoggerMessage(LogLevel.Warning, "The API key in this process's settings or data folder was renewed since and is not brought back: put the new one there.")]
    static partial void LogFormerKey(ILogger logger);
}

/// <summary>The program, put together, and what its first start has made.</summary>
/// <param name="Web">To be started, stopped and disposed.</param>
/// <param name="Secrets">What may be printed once.</param>
public sealed record OmsApplication(WebApplication Web, FirstSecrets Secrets) : IAsyncDisposable
{
    /// <summary>Where it answers, once it is started.</summary>
    public string Url => Web.Urls.First();

    /// <inheritdoc />
    public ValueTask DisposeAsync() => Web.DisposeAsync();
}
