using System.Security.Claims;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.Ui.Shared;

/// <summary>
/// The login of an open page. It held when the page was opened; whether it still does is asked every now and then, and
/// before each command. When it has ended, nobody is logged in at the page any more.
/// </summary>
public sealed class PageLogin(Gate gate, IHostApplicationLifetime program, ILoggerFactory loggers)
    : RevalidatingServerAuthenticationStateProvider(loggers)
{
    /// <inheritdoc />
    protected override TimeSpan RevalidationInterval => LoginRing.Lifetime;

    /// <inheritdoc />
    protected override async Task<bool> ValidateAuthenticationStateAsync(
        AuthenticationState authenticationState, CancellationToken cancellationToken) =>
        // Pages whose connection is lost are kept beyond the end of the program's services: then there is nobody to ask.
        program.ApplicationStopping.IsCancellationRequested || await Find(authenticationState) is not null;

    /// <summary>Whom the login stands for, after asking whether it still holds.</summary>
    /// <exception cref="LoginEndedException">It does not.</exception>
    public async Task<ApiCaller> Confirm()
    {
        if (await Find(await GetAuthenticationStateAsync()) is { } caller) return caller;
        SetAuthenticationState(Task.FromResult(new AuthenticationState(new ClaimsPrincipal(new ClaimsIdentity()))));
        throw new LoginEndedException();
    }

    ValueTask<ApiCaller?> Find(AuthenticationState login) => gate.FindAgain(new Proof(null, OperatorLogin.CookieOf(login.User)));
}

/// <summary>
/// Nobody is logged in at the page any more. What was to be done is given up like anything that is cancelled: the page is
/// about to be left for the login.
/// </summary>
public sealed class LoginEndedException() : OperationCanceledException("Nobody is logged in any more.");
