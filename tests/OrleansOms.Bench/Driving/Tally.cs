using System.Diagnostics;

namespace OrleansOms.Bench.Driving;

/// <summary>What one client has seen.</summary>
public sealed class Tally
{
    readonly List<double> _milliseconds = [];

    /// <summary>Times of the expected answers.</summary>
    public IReadOnlyList<double> Milliseconds => _milliseconds;

    /// <summary>Other answers.</summary>
    public long Failures { get; private set; }

    /// <summary>What the first of them said.</summary>
    public string? FirstFailure { get; private set; }

    /// <summary>Sends a request and counts its answer.</summary>
    /// <returns>The answer, if it is the expected one.</returns>
    public async Task<WireClient.Answer?> Ask(WireClient client, byte[] request, params int[] expected)
    {
        var start = Stopwatch.GetTimestamp();
        var answer = await client.Send(request);
        if (Array.IndexOf(expected, answer.Status) < 0)
        {
            Failures++;
            FirstFailure ??= $"{answer.Status} {answer.Text}";
            return null;
        }
        _milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return answer;
    }
}
