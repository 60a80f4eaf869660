namespace OrleansOms.Host;

/// <summary>Which part of the system a process is.</summary>
public enum HostRole
{
    /// <summary>Front end and silo in one.</summary>
    All = 0,
    /// <summary>Grains only; answers health and metrics.</summary>
    Silo = 1,
    /// <summary>API, hub and screens; its grains live in silos.</summary>
    Web = 2,
    /// <summary>One address before several front ends; needs no database.</summary>
    Proxy = 3,
}

/// <summary>How this process runs. Section <c>Oms</c> of the configuration: <c>Oms__Role</c> and so on.</summary>
public sealed class HostSettings
{
    /// <summary>Which part of the system it is.</summary>
    public HostRole Role { get; set; }
    /// <summary>Folder for the private database and the secrets.</summary>
    public string Data { get; set; } = "./data";
    /// <summary>Where customers reach this host, such as <c>https://shop.example</c>; empty: where it listens.</summary>
    public string? PublicUrl { get; set; }
    /// <summary>Largest body, in bytes.</summary>
    public long MaxBodyBytes { get; set; } = 4 * 1024 * 1024;
    /// <summary>How long a customer's tracking link lives, in days from the order.</summary>
    public int TrackingDays { get; set; } = 400;
    /// <summary>Folder of GeoNames-style postcode files; empty: only the countries' centres are known.</summary>
    public string? Postcodes { get; set; }
    /// <summary>Connections to PostgreSQL for the log, queries and keys.</summary>
    public int DatabaseConnections { get; set; } = 24;
    /// <summary>
    /// Databases of the event log, with <c>|</c> between, the first one for everything but stocks; none: it is where
    /// everything is. Chosen before the first start, for ever.
    /// </summary>
    public string? Logs { get; set; }
    /// <summary>Where front ends answer, for the role proxy, with commas between.</summary>
    public string? Fronts { get; set; }
    /// <summary>Secrets that are given rather than made.</summary>
    public BootstrapSettings Bootstrap { get; set; } = new();
    /// <summary>Where this process stands in the cluster.</summary>
    public SiloSettings Silo { get; set; } = new();

    /// <summary>Connection strings of <see cref="Logs"/>.</summary>
    public IReadOnlyList<string> LogConnections =>
        (Logs ?? "").Split('|', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Whether grains live in this process.</summary>
    public bool HasSilo => Role is HostRole.All or HostRole.Silo;
    /// <summary>Whether this process answers the API and the screens.</summary>
    public bool HasWeb => Role is HostRole.All or HostRole.Web;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="InvalidOperationException">A value makes no sense.</exception>
    public static HostSettings From(IConfiguration configuration)
    {
        var settings = configuration.GetSection("Oms").Get<HostSettings>() ?? new HostSettings();
        if (settings.MaxBodyBytes is < 1024 or > 1024 * 1024 * 1024)
            throw new InvalidOperationException("Oms:MaxBodyBytes must be between 1 KiB and 1 GiB.");
        if (settings.TrackingDays is < 1 or > 10_000)
            throw new InvalidOperationException("Oms:TrackingDays must be between 1 and 10,000.");
        if (settings.DatabaseConnections is < 4 or > 1000)
            throw new InvalidOperationException("Oms:DatabaseConnections must be between 4 and 1,000.");
        return settings;
    }
}

/// <summary>Secrets of the first start. What is not given is made, printed once and kept in the data folder.</summary>
public sealed class BootstrapSettings
{
    /// <summary>API key with every scope and no limit; starts with <c>oms_</c>.</summary>
    public string? ApiKey { get; set; }
    /// <summary>Password of the operator <c>admin</c>.</summary>
    public string? AdminPassword { get; set; }
}

/// <summary>Where a silo listens and which cluster it belongs to.</summary>
public sealed class SiloSettings
{
    /// <summary>Port between silos; 0 takes a free one.</summary>
    public int Port { get; set; } = 11111;
    /// <summary>Port for front ends; 0 takes a free one.</summary>
    public int GatewayPort { get; set; } = 30000;
    /// <summary>Address or name that other silos and front ends reach this one at.</summary>
    public string Address { get; set; } = "127.0.0.1";
    /// <summary>Cluster that this process belongs to.</summary>
    public string ClusterId { get; set; } = "oms";
    /// <summary>Service whose state it shares, across clusters and versions.</summary>
    public string ServiceId { get; set; } = "oms";
}
