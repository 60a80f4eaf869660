namespace OrleansOms.Host.Security;

/// <summary>What browsers are told not to do with our answers.</summary>
public static class SecurityHeaders
{
    // Blazor and the API reader put small scripts and styles of their own into the page, hence 'unsafe-inline'.
    // Nothing may be loaded from, or sent to, another host.
    const string PagePolicy =
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        + "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
        + "base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    const string DataPolicy = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>Sets them on an answer that has not started.</summary>
    public static void Set(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        if (http.Request.Path.StartsWithSegments("/api"))
        {
            headers.ContentSecurityPolicy = DataPolicy;
            return;
        }
        headers.ContentSecurityPolicy = PagePolicy;
        headers.XFrameOptions = "DENY";
        // A tracking link is a secret: it must not reach another host as a referrer.
        headers["Referrer-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()";
    }
}
