using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace OrleansOms.Bench.Running;

/// <summary>The program's reminder table, which tells how often all of its rows were read.</summary>
public sealed class CountedReminders(IReminderTable table) : IReminderTable
{
    int _reads;

    /// <summary>How often a silo has read all that it is responsible for.</summary>
    public int Reads => Volatile.Read(ref _reads);

    /// <summary>Puts it before the program's own table, and lets silos read it so often.</summary>
    public static void Use(WebApplicationBuilder builder, TimeSpan every)
    {
        var own = builder.Services.Last(s => s.ServiceType == typeof(IReminderTable));
        builder.Services.AddSingleton(p => new CountedReminders(
            (IReminderTable)ActivatorUtilities.CreateInstance(p, own.ImplementationType!)));
        builder.Services.AddSingleton<IReminderTable>(p => p.GetRequiredService<CountedReminders>());
        builder.UseOrleans(silo => silo.Configure<ReminderOptions>(o => o.RefreshReminderListPeriod = every));
    }

    /// <inheritdoc />
    public async Task<ReminderTableData> ReadRows(uint begin, uint end, CancellationToken cancellationToken)
    {
        var rows = await table.ReadRows(begin, end, cancellationToken);
        Interlocked.Increment(ref _reads);
        return rows;
    }

    /// <inheritdoc />
    public Task<ReminderTableData> ReadRows(uint begin, uint end) => ReadRows(begin, end, CancellationToken.None);

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken) => table.StartAsync(cancellationToken);

    /// <inheritdoc />
    public Task<ReminderTableData> ReadRows(GrainId grainId) => table.ReadRows(grainId);

    /// <inheritdoc />
    public Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) => table.ReadRow(grainId, reminderName);

    /// <inheritdoc />
    public Task<string?> UpsertRow(ReminderEntry entry) => table.UpsertRow(entry);

    /// <inheritdoc />
    public Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag) =>
        table.RemoveRow(grainId, reminderName, eTag);

    /// <inheritdoc />
    public Task TestOnlyClearTable() => table.TestOnlyClearTable();
}
