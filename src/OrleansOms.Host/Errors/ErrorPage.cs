using System.Text.Encodings.Web;

namespace OrleansOms.Host.Errors;

/// <summary>
/// What people see where a page cannot be made at all: what happened, what was not lost, what to do. It needs nothing
/// else to be drawn, and while the database is away it looks again by itself.
/// </summary>
static class ErrorPage
{
    /// <summary>The page for a status; the trace id is what we find in the log.</summary>
    public static string Of(int status, string traceId) => status switch
    {
        StatusCodes.Status503ServiceUnavailable => Waiting(
            "We cannot show this right now",
            "Our database does not answer. Nothing is lost: what was confirmed to you stays."),
        StatusCodes.Status429TooManyRequests => Waiting(
            "One moment, please", "Very many requests have come from where you are."),
        StatusCodes.Status403Forbidden => Html(
            "This is not for you", "",
            "<p>Your login may not see this page. <a href=\"/orders\">Go to the orders</a>, or ask an admin.</p>"),
        _ => Html(
            "Something went wrong", "",
            "<p>Nothing that was confirmed to you is lost. Go back and try again.</p>"
            + $"<p>If it happens again, tell us this number: <code>{HtmlEncoder.Default.Encode(traceId)}</code></p>"),
    };

    static string Waiting(string title, string text) => Html(
        title, "<script src=\"/again.js\" defer></script>",
        $"<p>{text}</p><p>This page looks again by itself. <a href=\"\">Look now</a></p>");

    static string Html(string title, string head, string body) =>
        $$"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">{{head}}
        <title>{{title}}</title>
        <style>
        :root { color-scheme: light dark; }
        body { margin: 15vh auto; max-width: 32rem; padding: 0 16px; font: 16px/1.5 system-ui, sans-serif;
               background: light-dark(#ffffff, #111214); color: light-dark(#17181a, #f1f1f3); }
        h1 { font-size: 22px; line-height: 32px; font-weight: 600; margin: 0 0 8px; }
        p { margin: 0 0 8px; color: light-dark(#585b62, #a8abb3); }
        a { color: light-dark(#5b3cc4, #b7a6ff); }
        code { overflow-wrap: anywhere; }
        </style>
        </head>
        <body><main><h1>{{title}}</h1>{{body}}</main></body>
        </html>
        """;
}
