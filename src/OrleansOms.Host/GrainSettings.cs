using OrleansOms.Grains;
using OrleansOms.Host.Orders;

namespace OrleansOms.Host;

/// <summary>What the configuration tells grains, which do not know which sales channels there are.</summary>
public static class GrainSettings
{
    /// <summary>Reads the settings.</summary>
    /// <exception cref="InvalidOperationException">A value makes no sense.</exception>
    public static OmsSettings From(IConfiguration configuration)
    {
        var settings = configuration.GetSection("Oms").Get<OmsSettings>() ?? new OmsSettings();
        foreach (var code in settings.Waiting.ToPolicy().Channels.Keys)
            if (!OrderValidation.Channels.Contains(code, StringComparer.OrdinalIgnoreCase))
                throw new InvalidOperationException(
                    $"Oms:Waiting:Channels:{code}: there is no such sales channel. There are {string.Join(", ", OrderValidation.Channels.Order(StringComparer.Ordinal))}.");
        return settings;
    }
}
