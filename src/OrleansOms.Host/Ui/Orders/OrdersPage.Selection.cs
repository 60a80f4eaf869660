using Microsoft.AspNetCore.Components.Web;
using OrleansOms.Contracts.Orders;

namespace OrleansOms.Host.Ui.Orders;

// What someone has picked out of the list, and which columns they want to see.
public sealed partial class OrdersPage
{
    /// <summary>Columns that can be hidden; the number cannot.</summary>
    static readonly (string Id, string Name)[] Columns =
    [
        ("placed", "Placed"), ("customer", "Customer"), ("status", "Status"), ("payment", "Payment"), ("channel", "Channel"),
        ("country", "Ships to"), ("from", "From"), ("units", "Units"), ("total", "Total"),
    ];

    readonly HashSet<string> _selected = new(StringComparer.Ordinal);
    string? _lastSelected;
    IReadOnlyList<OrderSummary>? _toCancel;

    string HiddenColumns => string.Join(' ', Columns.Where(c => Viewer.HidesColumn(c.Id)).Select(c => $"no-{c.Id}"));

    bool IsAllSelected => Shown is { Rows.Count: > 0 } shown && shown.Rows.All(o => _selected.Contains(o.Id));

    /// <summary>Selects an order or takes it out; with the shift key everything between it and the last one too.</summary>
    void Select(OrderSummary order, MouseEventArgs e)
    {
        var isIn = !_selected.Contains(order.Id);
        var rows = Shown!.Rows;
        var (from, to) = (rows.FindIndex(o => o.Id == _lastSelected), rows.FindIndex(o => o.Id == order.Id));
        if (!e.ShiftKey || from < 0) from = to;
        foreach (var row in rows.Take(Math.Max(from, to) + 1).Skip(Math.Min(from, to)))
            if (isIn) _selected.Add(row.Id);
            else _selected.Remove(row.Id);
        _lastSelected = order.Id;
        DrawRows();
    }

    void SelectAll()
    {
        if (IsAllSelected) _selected.Clear();
        else _selected.UnionWith(Shown!.Rows.Select(o => o.Id));
        DrawRows();
    }

    void SelectNone()
    {
        _selected.Clear();
        DrawRows();
    }

    // The grid draws its rows again only for another list.
    void DrawRows() => Shown = Shown! with { Rows = [.. Shown.Rows] };

    /// <summary>What is not in view any more cannot be acted on.</summary>
    void KeepSelection()
    {
        _selected.IntersectWith(Shown!.Rows.Select(o => o.Id));
        if (_lastSelected is not null && !_selected.Contains(_lastSelected)) _lastSelected = null;
    }

    void AskToCancel() => _toCancel = [.. Shown!.Rows.Where(o => _selected.Contains(o.Id))];

    async Task CloseBulk()
    {
        _toCancel = null;
        _selected.Clear();
        await Load();
    }
}
