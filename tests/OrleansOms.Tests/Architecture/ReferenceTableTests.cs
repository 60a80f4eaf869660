using System.Xml.Linq;

namespace OrleansOms.Tests.Architecture;

public sealed class ReferenceTableTests
{
    [Fact]
    public void Projects_reference_what_the_table_allows_and_nothing_else() =>
        Assert.Empty(ReferenceTable.Breaches(Real()));

    [Fact]
    public void Files_that_every_project_shares_reference_nothing()
    {
        foreach (var name in (string[])["Directory.Build.props", "Directory.Build.targets"])
        {
            foreach (var folder in (string[])["", "src"])
            {
                var path = Path.Combine(Repository.Root, folder, name);
                if (!File.Exists(path)) continue;
                var references = XDocument.Load(path).Descendants().Where(e => e.Name.LocalName.EndsWith("Reference"));
                Assert.Empty(references);
            }
        }
    }

    [Fact]
    public void Fast_tests_reference_the_domain_only()
    {
        var project = XDocument.Load(Path.Combine(
            Repository.Root, "tests/OrleansOms.Domain.Tests/OrleansOms.Domain.Tests.csproj"));
        Assert.Equal(["Domain"], project.Descendants("ProjectReference")
            .Select(r => ReferenceTable.NameOf((string)r.Attribute("Include")!)));
    }

    [Fact]
    public void There_are_three_test_projects() => Assert.Equal(
        ["Bench", "Domain.Tests", "Tests"], OurCode.Files("*.csproj", "tests").Select(ReferenceTable.NameOf).Order());

    [Theory]
    [InlineData("Domain", "<ProjectReference Include='../OrleansOms.Contracts/OrleansOms.Contracts.csproj' />")]
    [InlineData("Domain", "<PackageReference Include='Npgsql' />")]
    [InlineData("Domain", "<PackageReference Include='Microsoft.Orleans.CodeGenerator' />")]
    [InlineData("Contracts", "<ProjectReference Include='..\\OrleansOms.Grains\\OrleansOms.Grains.csproj' />")]
    [InlineData("Grains", "<PackageReference Include='Npgsql' />")]
    [InlineData("Grains", "<FrameworkReference Include='Microsoft.AspNetCore.App' />")]
    [InlineData("Grains", "<ProjectReference Include='../OrleansOms.Postgres/OrleansOms.Postgres.csproj' />")]
    [InlineData("Postgres", "<PackageReference Include='Microsoft.Orleans.Sdk' />")]
    [InlineData("Postgres", "<PackageReference Include='Npgsql' Version='9.0.0' />")]
    [InlineData("Connectors", "<ProjectReference Include='../OrleansOms.Grains/OrleansOms.Grains.csproj' />")]
    [InlineData("Connectors", "<Reference Include='../../lib/Some.dll' />")]
    [InlineData("Host", "<PackageReference Include='MediatR' />")]
    public void Reference_outside_the_table_is_a_breach(string project, string reference)
    {
        var projects = Real();
        projects[project].Root!.Add(XElement.Parse($"<ItemGroup>{reference}</ItemGroup>"));
        var breach = Assert.Single(ReferenceTable.Breaches(projects));
        Assert.StartsWith(project + ":", breach);
    }

    [Fact]
    public void Project_outside_the_table_a_missing_one_and_a_web_one_are_breaches()
    {
        var projects = Real();
        projects["Services"] = new XDocument(projects["Grains"]);
        projects.Remove("Connectors");
        projects["Domain"].Root!.SetAttributeValue("Sdk", "Microsoft.NET.Sdk.Web");
        Assert.Equal(
            ["Connectors: the project is missing", "Domain: built by Microsoft.NET.Sdk.Web, not by Microsoft.NET.Sdk",
                "Services: a project outside the table"],
            ReferenceTable.Breaches(projects).Order());
    }

    static Dictionary<string, XDocument> Real() =>
        OurCode.Files("*.*proj", "src").ToDictionary(ReferenceTable.NameOf, p => XDocument.Load(p));
}
