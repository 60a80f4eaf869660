namespace OrleansOms.Host.Ui.Warehouse;

/// <summary>What the station says after a scan: right, wrong, or done with a step.</summary>
/// <param name="Kind">right, wrong or done: also the sound that is played.</param>
public sealed record Said(string Kind, string Text)
{
    /// <summary>Go on.</summary>
    public static Said Right(string text) => new("right", text);
    /// <summary>Stop and read.</summary>
    public static Said Wrong(string text) => new("wrong", text);
    /// <summary>A step is finished.</summary>
    public static Said Done(string text) => new("done", text);

    /// <summary>The sign beside the words, so that the colour is never alone.</summary>
    public string Sign => Kind == "wrong" ? "✕" : "✓";
}
