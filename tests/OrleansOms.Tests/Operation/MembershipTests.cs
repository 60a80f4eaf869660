using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Operation;

/// <summary>Who is a member of a cluster, and how silos come to know.</summary>
public sealed class MembershipTests
{
    /// <summary>By itself a silo looks once a minute; this is a third of that, and more than it takes here.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_silo_that_nobody_tells_of_a_change_reads_it_from_the_table()
    {
        await using var app = await OmsApp.Start();
        var members = app.Services.GetRequiredService<IClusterMembershipService>();
        // By chance it may just be about to look: the second one is told when it has looked, and has all of the time before it.
        foreach (var port in (int[])[7, 8])
        {
            var told = SiloAddress.New(IPAddress.Loopback, port, 7);
            await app.Database.Execute($"""
                with next as (update oms.orleans_cluster set version = version + 1 returning deployment)
                insert into oms.orleans_silo (deployment, address, port, generation, silo_name, host_name, status, proxy_port, start_time, i_am_alive_time)
                select deployment, '127.0.0.1', {port}, 7, 'test', 'test', 6, 0, now(), now() from next
                """);
            await Silos.Until(
                () => Task.FromResult(members.CurrentSnapshot),
                m => m.Members.TryGetValue(told, out var member) && member.Status == SiloStatus.Dead, Patience);
        }
    }
}
