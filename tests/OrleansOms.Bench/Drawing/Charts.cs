using System.Globalization;
using System.Net;
using System.Text;
using OrleansOms.Bench.Measuring;

namespace OrleansOms.Bench.Drawing;

/// <summary>Draws what people compare, as SVG that is read on light and on dark pages.</summary>
public static class Charts
{
    const int Width = 860, Margin = 16, BarHeight = 18, BarStep = 26, NameWidth = 250, ValueWidth = 190;
    const int PanelHeight = 130, PanelStep = 170;
    const string Ink = "#24292f", Faint = "#8c959f", Bar = "#4078c0", Best = "#2da44e", Paper = "#ffffff";

    /// <summary>
    /// Lines over time where a figure was taken again and again; else bars for each figure that several arms have: what they did
    /// a second, and whatever else was looked at. Null if there is none.
    /// </summary>
    public static string? Of(WorkloadResult workload)
    {
        var series = workload.Arms.SelectMany(a => a.Turns).Select(t => t.Outcome.Series).FirstOrDefault(s => s.Count > 2);
        if (series is not null) return Lines($"{workload.Name}: {workload.Arms[0].Name}", series);
        List<Compared> figures =
        [
            Compared.Of($"{workload.Unit} a second".Trim(), workload, t => t.Rate > 0 ? t.Rate : null),
            Compared.Of("CPU µs each, program and PostgreSQL", workload, t => t.Outcome.Operations > 0 && t.ProgramCpuSeconds is { } cpu
                ? 1e6 * t.PerOperation(cpu + (t.PostgresCpuSeconds ?? 0)) : null),
            .. workload.Arms.SelectMany(a => a.Further).Distinct().Select(name => Compared.Of(
                name, workload, t => t.Outcome.Further.TryGetValue(name, out var value) ? value : null)),
        ];
        figures.RemoveAll(f => f.Arms.Count < 2 || f.Arms.Max(a => a.Value.Max) <= 0);
        return figures.Count > 0 ? Bars(workload.Name, figures) : null;
    }

    /// <summary>A figure of several arms.</summary>
    sealed record Compared(string Title, List<(string Name, Spread Value)> Arms)
    {
        public static Compared Of(string title, WorkloadResult workload, Func<Turn, double?> of) => new(title,
            [.. workload.Arms.Select(a => (a.Name, Values: a.Turns.Select(of).OfType<double>().ToList()))
                .Where(a => a.Values.Count > 0).Select(a => (a.Name, Spread.Of(a.Values)))]);
    }

    static string Bars(string title, List<Compared> figures)
    {
        var svg = Begin(title, Margin * 3 + figures.Sum(f => (f.Arms.Count + 1) * BarStep + Margin));
        var top = Margin * 3;
        foreach (var figure in figures)
        {
            svg.Append(Text(Margin, top + 13, figure.Title, Ink, "bold"));
            top += BarStep;
            var (most, room) = (figure.Arms.Max(a => a.Value.Max), Width - 2 * Margin - NameWidth - ValueWidth);
            foreach (var (name, value) in figure.Arms)
            {
                double At(double at) => Margin + NameWidth + room * at / most;
                svg.Append(Text(Margin, top + 13, name, Ink))
                    .Append(Box(Margin + NameWidth, top, room * value.Median / most, BarHeight,
                        name.StartsWith("ours", StringComparison.Ordinal) ? Best : Bar))
                    .Append(Line(At(value.Min), top + BarHeight / 2, At(value.Max), top + BarHeight / 2))
                    .Append(Text(Width - Margin - ValueWidth + 8, top + 13, value.Min < value.Max
                        ? $"{Report.Number(value.Median)} ({Report.Number(value.Min)}–{Report.Number(value.Max)})"
                        : Report.Number(value.Median), Faint));
                top += BarStep;
            }
            top += Margin;
        }
        return svg.AppendLine("</svg>").ToString();
    }

    static string Lines(string title, IReadOnlyList<IReadOnlyDictionary<string, double>> series)
    {
        var figures = Vitals.Level.Where(f => series.Any(s => s.ContainsKey(f.Name))).ToList();
        var svg = Begin(title, Margin * 3 + (figures.Count + 1) / 2 * PanelStep);
        for (var i = 0; i < figures.Count; i++)
            Panel(svg, figures[i], series, i % 2 * (Width / 2) + Margin, Margin * 3 + i / 2 * PanelStep);
        return svg.AppendLine("</svg>").ToString();
    }

    static void Panel(
        StringBuilder svg, Vitals.Figure figure, IReadOnlyList<IReadOnlyDictionary<string, double>> series, int left, int top)
    {
        const int below = 20;
        var points = series.Where(s => s.ContainsKey(figure.Name)).Select(s => (X: s[Vitals.Minutes], Y: s[figure.Name])).ToList();
        var (end, most) = (Math.Max(points[^1].X, 1e-9), Math.Max(points.Max(p => p.Y), 1e-9));
        var (width, height, floor) = (Width / 2 - 2 * Margin, PanelHeight - 2 * below, top + PanelHeight - below);
        svg.Append(Text(left, top + 10, figure.Title, Ink))
            .Append(Line(left, floor, left + width, floor))
            .Append(Text(left, floor + 14, "0", Faint))
            .Append(Text(left + width - 60, floor + 14, $"{Report.Number(end)} min", Faint))
            .Append(Text(left + width - 60, top + 10, $"max {Report.Number(most)}", Faint))
            .Append("<polyline fill=\"none\" stroke=\"").Append(Bar).Append("\" stroke-width=\"1.5\" points=\"")
            .AppendJoin(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture,
                $"{left + width * p.X / end:0.#},{floor - height * p.Y / most:0.#}")))
            .AppendLine("\"/>");
    }

    static StringBuilder Begin(string title, int height) => new StringBuilder()
        .AppendLine(string.Create(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{height}\" viewBox=\"0 0 {Width} {height}\" font-family=\"sans-serif\" font-size=\"12\">"))
        .Append(Box(0, 0, Width, height, Paper))
        .Append(Text(Margin, Margin + 8, title, Ink, "bold"));

    static string Box(double x, double y, double width, double height, string colour) => string.Create(
        CultureInfo.InvariantCulture,
        $"<rect x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{width:0.#}\" height=\"{height:0.#}\" fill=\"{colour}\"/>\n");

    static string Line(double x1, double y1, double x2, double y2) => string.Create(CultureInfo.InvariantCulture,
        $"<line x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\" stroke=\"{Faint}\"/>\n");

    static string Text(double x, double y, string text, string colour, string weight = "normal") => string.Create(
        CultureInfo.InvariantCulture,
        $"<text x=\"{x:0.#}\" y=\"{y:0.#}\" fill=\"{colour}\" font-weight=\"{weight}\">{WebUtility.HtmlEncode(text)}</text>\n");
}
