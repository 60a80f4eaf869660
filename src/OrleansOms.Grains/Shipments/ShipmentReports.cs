using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Grains.Shipments;

/// <summary>What shipments tell their orders.</summary>
static class ShipmentReports
{
    /// <summary>What an order is told of an event; null if it is none of a shipment's or nothing to tell.</summary>
    public static ReportShipment? Of(LogEvent e) => e.Data switch
    {
        UnitsPicked p => new ReportShipment(
            e.Stream, e.Version, ShipmentStatus.Picking, e.At,
            Missing: [.. p.Lines.Where(l => l.Missing > 0).Select(l => new LineUnits(l.LineId, l.Missing))]),
        ShipmentPacked => new ReportShipment(e.Stream, e.Version, ShipmentStatus.Packed, e.At),
        ShipmentUnpacked => new ReportShipment(
            e.Stream, e.Version, ShipmentStatus.Picking, e.At, "opened to take units out, to be packed again"),
        ShipmentShipped s => new ReportShipment(
            e.Stream, e.Version, ShipmentStatus.Shipped, e.At, Carrier: s.Carrier, Service: s.Service,
            TrackingNumber: s.TrackingNumber),
        TrackingRecorded t => new ReportShipment(
            e.Stream, e.Version, t.Status, t.OccurredAt, t.Description, t.Location),
        _ => null,
    };
}
