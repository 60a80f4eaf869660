namespace OrleansOms.Host.Commands;

/// <summary>Writes the OpenAPI document. It needs no database.</summary>
public static class OpenApiCommand
{
    /// <summary>Writes it to the named file, or to the output.</summary>
    public static async Task<int> Run(string[] args)
    {
        var document = await Document();
        if (args is [var file]) await File.WriteAllTextAsync(file, document);
        else await Console.Out.WriteAsync(document);
        return 0;
    }

    /// <summary>The document as the running program answers it, ended with a line feed.</summary>
    public static async Task<string> Document()
    {
        await using var app = OmsHost.BuildForDescription();
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        var document = await client.GetStringAsync("/openapi/v1.json");
        await app.StopAsync();
        return document.ReplaceLineEndings("\n").TrimEnd() + "\n";
    }
}
