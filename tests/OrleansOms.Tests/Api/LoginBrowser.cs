using System.Net;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>
/// What a browser does: keeps cookies, sends forms with the page's token; from another address, if the program believes what
/// stands before it.
/// </summary>
sealed class LoginBrowser : IDisposable
{
    readonly HttpClient _client;
    readonly CookieContainer _cookies = new();
    readonly OmsApp _app;

    public LoginBrowser(OmsApp app, string? from = null)
    {
        _app = app;
        _client = new HttpClient(new SocketsHttpHandler { CookieContainer = _cookies, AllowAutoRedirect = false })
            { BaseAddress = new Uri(app.Url) };
        if (from is not null) _client.DefaultRequestHeaders.Add("X-Forwarded-For", from);
    }

    public async Task<string> LogIn(string name, string password, string returnUrl, bool hasToken = true)
    {
        using var answer = await Post(name, password, returnUrl, hasToken);
        return answer.Headers.Location!.OriginalString;
    }

    public async Task<HttpResponseMessage> Post(
        string name, string password, string returnUrl, bool hasToken = true, CancellationToken cancel = default)
    {
        var fields = new Dictionary<string, string> { ["name"] = name, ["password"] = password, ["returnUrl"] = returnUrl };
        if (hasToken) await AddToken(fields, null);
        return await _client.PostAsync("/login", new FormUrlEncodedContent(fields), cancel);
    }

    /// <summary>Sends what no page of ours would send.</summary>
    public async Task<HttpStatusCode> Send(string path, string body, string type)
    {
        var token = new Dictionary<string, string>();
        await AddToken(token, null);
        var request = new HttpRequestMessage(HttpMethod.Post, path)
            { Content = new StringContent(body, System.Text.Encoding.UTF8, type) };
        request.Headers.Add("RequestVerificationToken", token.Values.Single());
        return (await _client.SendAsync(request)).StatusCode;
    }

    /// <summary>Another browser with the same cookies.</summary>
    public LoginBrowser Copy()
    {
        var copy = new LoginBrowser(_app);
        copy._cookies.Add(_cookies.GetAllCookies());
        return copy;
    }

    public async Task LogOut(string name = "admin")
    {
        var fields = new Dictionary<string, string>();
        await AddToken(fields, name);
        await _client.PostAsync("/logout", new FormUrlEncodedContent(fields));
    }

    public async Task<HttpStatusCode> Get(string path) => (await _client.GetAsync(path)).StatusCode;

    public async Task<HttpStatusCode> Put(string path, string? origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, path)
            { Content = new StringContent("""{"name":"by hand"}""", System.Text.Encoding.UTF8, "application/json") };
        if (origin is not null) request.Headers.Add("Origin", origin);
        return (await _client.SendAsync(request)).StatusCode;
    }

    /// <summary>The token that the page would carry, and its cookie.</summary>
    Task AddToken(Dictionary<string, string> fields, string? name)
    {
        var http = new DefaultHttpContext { RequestServices = _app.Services };
        if (name is not null)
            http.User = new(new System.Security.Claims.ClaimsIdentity(
                [new(System.Security.Claims.ClaimTypes.NameIdentifier, name)], "operator"));
        var tokens = _app.Services.GetRequiredService<IAntiforgery>().GetAndStoreTokens(http);
        fields[tokens.FormFieldName] = tokens.RequestToken!;
        _cookies.SetCookies(new Uri(_app.Url), http.Response.Headers.SetCookie.ToString().Split(';')[0]);
        return Task.CompletedTask;
    }

    public void Dispose() => _client.Dispose();
}
