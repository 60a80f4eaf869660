using OrleansOms.Grains.Stock;

namespace OrleansOms.Grains;

/// <summary>How long things may wait. Section <c>Oms</c> of the configuration.</summary>
public sealed class OmsSettings
{
    /// <summary>How long an unpaid order keeps its stock.</summary>
    public TimeSpan PaymentWindow { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>By when backordered units are promised, counted from the order.</summary>
    public TimeSpan BackorderWindow { get; set; } = TimeSpan.FromDays(14);

    /// <summary>How long a shipment may show no tracking before an alarm is raised.</summary>
    public TimeSpan TrackingSilence { get; set; } = TimeSpan.FromDays(3);

    /// <summary>Age at which a reservation without an order is settled. The law says five minutes at most.</summary>
    public TimeSpan ReservationGrace { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Who of those that wait for units is served first.</summary>
    public WaitingSettings Waiting { get; set; } = new();
}
