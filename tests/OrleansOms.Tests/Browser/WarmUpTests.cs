using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>What is done for the first visitor before he comes.</summary>
public sealed class WarmUpTests
{
    [Fact]
    public async Task After_a_start_each_kind_of_page_is_opened_before_anybody_asks_for_it()
    {
        await using var app = await OmsApp.Start();
        await app.Released(await app.PlaceNew());
        await app.CountEvents();
        var answered = new ConcurrentDictionary<(object? Meters, string Route), int>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name == "http.server.request.duration") l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
        {
            var of = tags.ToArray().ToDictionary(t => t.Key, t => t.Value);
            if (of.GetValueOrDefault("http.route") is string route)
                answered[(instrument.Meter.Scope, route)] = (int)of["http.response.status_code"]!;
        });
        listener.Start();

        await app.Restart();
        string[] pages = ["/orders", "/orders/{Id}", "/stock", "/stock/{Warehouse}", "/warehouse/{Code}", "/warehouse/{Code}/{Id}", "/track/{token}"];
        // Other tests' programs are heard too: only what this one has answered since its start counts.
        var meters = app.Services.GetRequiredService<IMeterFactory>();
        await LiveApp.Until(() => pages.All(page => answered.ContainsKey((meters, page))));
        Assert.All(pages, page => Assert.Equal(200, answered[(meters, page)]));
    }
}
