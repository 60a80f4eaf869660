using OrleansOms.Bench;
using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Running;

// The load comes from another process than the one that is measured: this program starts itself again for it.
return args switch
{
    ["drive", .. var rest] => await Driver.Run(rest),
    ["hub", var message] => await BareHub.Run(message),
    _ => await BenchRun.Start(args),
};
