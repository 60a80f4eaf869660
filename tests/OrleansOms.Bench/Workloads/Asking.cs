using System.Diagnostics;
using System.Net;
using OrleansOms.Bench.Measuring;

namespace OrleansOms.Bench.Workloads;

/// <summary>One visitor of the API who asks for one thing after the other.</summary>
static class Asking
{
    /// <summary>Asks for each of these, once, and takes the time of each answer.</summary>
    /// <exception cref="InvalidOperationException">An answer is not 200.</exception>
    public static async Task<Outcome> Each(HttpClient api, IEnumerable<string> paths)
    {
        var start = Stopwatch.GetTimestamp();
        var times = new List<double>();
        foreach (var path in paths)
        {
            var one = Stopwatch.GetTimestamp();
            using var answer = await api.GetAsync(path);
            if (answer.StatusCode != HttpStatusCode.OK)
                throw new InvalidOperationException($"{path} was answered with {(int)answer.StatusCode}.");
            times.Add(Stopwatch.GetElapsedTime(one).TotalMilliseconds);
        }
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        times.Sort();
        return new Outcome(times.Count, seconds, Spread.Percentile(times, 0.5), Spread.Percentile(times, 0.99))
        {
            Further = new Dictionary<string, double> { ["worstMs"] = times[^1] },
        };
    }
}
