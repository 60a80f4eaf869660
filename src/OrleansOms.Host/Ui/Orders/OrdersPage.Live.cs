using System.Data.Common;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Host.Live;

namespace OrleansOms.Host.Ui.Orders;

// How the list stays true while it is looked at.
public sealed partial class OrdersPage
{
    static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);

    /// <summary>Listens as long as the page is open; a fault is shown and tried again.</summary>
    async Task Follow(CancellationToken gone)
    {
        while (!gone.IsCancellationRequested)
        {
            try
            {
                using var watch = await Feed.WatchOrders(gone);
                // What happened between the first answer and now was not told to this page.
                Ring();
                await foreach (var change in watch.Changes(gone)) await InvokeAsync(() => Take(change));
            }
            catch (OperationCanceledException) when (gone.IsCancellationRequested) { return; }
            catch (Exception e) when (e is OmsFaultException or TimeoutException or DbException)
            {
                await InvokeAsync(FallBehind);
                await Task.Delay(FaultPause, gone).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    void FallBehind()
    {
        _behindSince ??= Viewer.Now;
        StateHasChanged();
    }

    void Take(OrdersChange change)
    {
        if (change.Orders.Count > 0 || change.IsResync) Ring();
        if (Shown is null) return;
        if (change.Counts is { } counts && !_query.HasChips && _query.Q is null && _only is null)
            Shown = Shown with { Counts = counts };
        Replace(change.Orders);
        StateHasChanged();
    }

    /// <summary>Changes rows where they stand, if they are in view and these are newer.</summary>
    void Replace(IReadOnlyList<OrderSummary> orders)
    {
        var newer = orders.ToDictionary(o => o.Id, StringComparer.Ordinal);
        var changed = Shown!.Rows.Where(r => newer.TryGetValue(r.Id, out var n) && n.Version > r.Version).Select(r => r.Id).ToList();
        if (changed.Count == 0) return;
        _changed.UnionWith(changed);
        // Another list: the grid draws its rows again only for one.
        Shown = Shown with { Rows = [.. Shown.Rows.Select(r => changed.Contains(r.Id) ? newer[r.Id] : r)] };
    }

    /// <summary>Asks the read model again after changes: first soon, then once more when all is quiet.</summary>
    async Task KeepFresh(CancellationToken gone)
    {
        try
        {
            while (true)
            {
                await _bell.WaitAsync(gone);
                do
                {
                    await Task.Delay(Gather, gone);
                    await InvokeAsync(Refresh);
                }
                while (await _bell.WaitAsync(Settle, gone));
                await InvokeAsync(Refresh);
            }
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested) { return; }
    }

    void Ring()
    {
        if (_bell.CurrentCount == 0 && !_gone.IsCancellationRequested) _bell.Release();
    }

    async Task Refresh()
    {
        var asked = _query;
        if (_failed)
        {
            await Load();
            StateHasChanged();
            return;
        }
        try
        {
            var filter = asked.FirstPage().Filter(Viewer.Zone, _only);
            var first = asked.Cursor is null ? await Orders.List(filter) : null;
            var counts = await Orders.CountByStatus(filter);
            // By id: what changed while nobody told this page may have left its place in the list, or the filter.
            var inView = await Orders.WithIds([.. Shown?.Rows.Select(r => r.Id) ?? []]);
            if (asked != _query || Shown is null) return;
            Shown = Shown with { Counts = counts };
            Replace(inView);
            if (first is not null && Shown.Rows.Count == 0 && first.Items.Count > 0) await Load();
            else if (first is not null) CountNew(first.Items, first.NextCursor is not null);
            _behindSince = null;
            StateHasChanged();
        }
        catch (Exception e) when (e is OmsFaultException or DbException or TimeoutException)
        {
            FallBehind();
            RingLater();
        }
    }

    /// <summary>What could not be read is asked for again, until it can.</summary>
    void RingLater() => _ = Task.Delay(FaultPause, _gone.Token).ContinueWith(
        _ => InvokeAsync(Ring), _gone.Token, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);

    /// <summary>New are those that stand above one that is in view; the others have only moved up from the next page.</summary>
    void CountNew(IReadOnlyList<OrderSummary> first, bool hasMore)
    {
        var shown = Shown!.Rows.Select(r => r.Id).ToHashSet(StringComparer.Ordinal);
        var last = first.ToList().FindLastIndex(o => shown.Contains(o.Id));
        _new = last < 0 ? first.Count : first.Take(last).Count(o => !shown.Contains(o.Id));
        _newIsMore = last < 0 && hasMore;
    }
}
