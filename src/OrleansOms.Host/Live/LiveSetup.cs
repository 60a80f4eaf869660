using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace OrleansOms.Host.Live;

/// <summary>Registers what tells people and programs of changes.</summary>
public static class LiveSetup
{
    /// <summary>Longest message that a client may send, in bytes: the calls of this hub are short.</summary>
    const int MaxMessageBytes = 4096;
    /// <summary>Bytes that may wait for a client that does not read, before its own pushes wait.</summary>
    const int MaxWaitingBytes = 64 * 1024;

    /// <summary>The feed and the hub. Call it after the log's tail is registered.</summary>
    public static WebApplicationBuilder AddLive(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<LiveFeed>();
        builder.Services.AddHostedService(p => p.GetRequiredService<LiveFeed>());
        builder.Services.AddSingleton<HubAccess>();
        builder.Services.AddSingleton<CustomerView>();
        // It tells every refusal as an error with its stack; the hub itself tells what is a failure.
        builder.Logging.AddFilter("Microsoft.AspNetCore.SignalR.Internal.DefaultHubDispatcher", LogLevel.Critical);
        builder.Services
            .AddSignalR()
            .AddHubOptions<OmsHub>(o =>
            {
                o.MaximumReceiveMessageSize = MaxMessageBytes;
                o.StreamBufferCapacity = 1;
                o.EnableDetailedErrors = false;
                o.KeepAliveInterval = TimeSpan.FromSeconds(10);
                o.ClientTimeoutInterval = TimeSpan.FromSeconds(30);
            })
            .AddJsonProtocol(o => o.PayloadSerializerOptions = LiveJson.Wire)
            .AddMessagePackProtocol(o => o.SerializerOptions = LivePack.Options);
        // Of two protocols of one name the later one counts.
        builder.Services.AddSingleton<IHubProtocol>(p => new SharedPushProtocol(
            ActivatorUtilities.CreateInstance<JsonHubProtocol>(p)));
        builder.Services.AddSingleton<IHubProtocol>(p => new SharedPushProtocol(
            ActivatorUtilities.CreateInstance<MessagePackHubProtocol>(p)));
        return builder;
    }

    /// <summary>Maps <c>/hubs/live</c>. Anybody may connect; each call says what it may see.</summary>
    public static WebApplication MapLive(this WebApplication app)
    {
        app.MapHub<OmsHub>("/hubs/live", o =>
        {
            o.ApplicationMaxBufferSize = MaxWaitingBytes;
            o.TransportMaxBufferSize = MaxWaitingBytes;
            o.WebSockets.CloseTimeout = TimeSpan.FromSeconds(5);
        }).AllowAnonymous().ExcludeFromDescription();
        return app;
    }
}
