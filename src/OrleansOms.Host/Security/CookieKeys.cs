using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Security;

/// <summary>Keeps ASP.NET's data-protection keys in the database, where every front end finds them.</summary>
public sealed class CookieKeys(Secrets secrets) : IXmlRepository
{
    /// <inheritdoc />
    public IReadOnlyCollection<XElement> GetAllElements() => [.. secrets.CookieKeys().Select(XElement.Parse)];

    /// <inheritdoc />
    public void StoreElement(XElement element, string friendlyName) =>
        secrets.AddCookieKey(friendlyName, element.ToString(SaveOptions.DisableFormatting));
}
