using OrleansOms.Bench;
using OrleansOms.Bench.Driving;

// The load comes from another process than the one that is measured: this program starts itself again for it.
return args is ["drive", .. var rest] ? await Driver.Run(rest) : await BenchRun.Start(args);
