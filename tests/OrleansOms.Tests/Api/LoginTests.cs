using System.Net;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>People log in with a form, and the API takes their cookie from our own pages only.</summary>
[Collection(ApiCollection.Name)]
public sealed class LoginTests(OmsApp app)
{
    [Fact]
    public async Task The_admin_logs_in_uses_the_API_from_our_pages_only_and_logs_out()
    {
        using var browser = new LoginBrowser(app);
        Assert.Equal("/login?error=invalid&returnUrl=%2Forders", await browser.LogIn("admin", "wrong", "/orders"));
        Assert.Equal(HttpStatusCode.Unauthorized, await browser.Get("/api/v1/orders"));
        Assert.Equal("/orders?x=1", await browser.LogIn("admin", OmsApp.AdminPassword, "/orders?x=1"));
        Assert.Equal(HttpStatusCode.OK, await browser.Get("/api/v1/orders"));

        var sku = await app.NewProduct();
        var put = $"/api/v1/products/{sku}";
        Assert.Equal(HttpStatusCode.OK, await browser.Put(put, app.Url));
        Assert.Equal(HttpStatusCode.Forbidden, await browser.Put(put, null));
        Assert.Equal(HttpStatusCode.Forbidden, await browser.Put(put, "https://evil.example"));

        await browser.LogOut();
        Assert.Equal(HttpStatusCode.Unauthorized, await browser.Get("/api/v1/orders"));
    }

    [Fact]
    public async Task A_cookie_that_was_kept_holds_no_longer_than_its_login_and_its_person()
    {
        var operators = new Operators(app.Database.Source);
        var person = new Operator($"p-{Guid.NewGuid():N}", OperatorLogin.HashOf("p", "secret one"), [], null);
        await operators.Put(person);
        using var browser = new LoginBrowser(app);
        Assert.Equal("/orders", await browser.LogIn(person.Name, "secret one", "/orders"));
        using var kept = browser.Copy();
        using var second = new LoginBrowser(app);
        await second.LogIn(person.Name, "secret one", "/");
        Assert.Equal(HttpStatusCode.OK, await kept.Get("/api/v1/orders"));
        Assert.Equal(HttpStatusCode.OK, await kept.Get("/orders"));

        await browser.LogOut(person.Name);
        await OmsApp.Until(() => kept.Get("/api/v1/orders"), status => status == HttpStatusCode.Unauthorized);
        Assert.Equal(HttpStatusCode.Redirect, await kept.Get("/orders"));
        Assert.Equal(HttpStatusCode.OK, await second.Get("/api/v1/orders"));

        Assert.True(await operators.Disable(person.Name));
        await OmsApp.Until(() => second.Get("/api/v1/orders"), status => status == HttpStatusCode.Unauthorized);
        Assert.StartsWith("/login?error=invalid", await second.LogIn(person.Name, "secret one", "/"));
        await operators.Put(person);
        Assert.StartsWith("/login?error=invalid", await second.LogIn(person.Name, "secret one", "/"));
    }

    [Theory]
    [InlineData("//evil.example"), InlineData("https://evil.example"), InlineData("/\\evil.example"), InlineData("")]
    public async Task A_login_never_leads_to_another_host(string returnUrl)
    {
        using var browser = new LoginBrowser(app);
        Assert.Equal("/", await browser.LogIn("admin", OmsApp.AdminPassword, returnUrl));
    }

    [Fact]
    public async Task A_form_of_another_site_does_not_log_in()
    {
        using var browser = new LoginBrowser(app);
        Assert.Equal("/login?error=expired", await browser.LogIn("admin", OmsApp.AdminPassword, "/", hasToken: false));
    }

    [Fact]
    public async Task Guessing_is_slowed_down_for_each_name()
    {
        using var browser = new LoginBrowser(app);
        var name = $"nobody-{Guid.NewGuid():N}";
        var answers = new List<string>();
        for (var i = 0; i < 7; i++) answers.Add(await browser.LogIn(name, "guess", "/"));
        Assert.Contains("/login?error=throttled&returnUrl=%2F", answers);
        Assert.Equal("/login?error=invalid&returnUrl=%2F", answers[0]);
    }
}
