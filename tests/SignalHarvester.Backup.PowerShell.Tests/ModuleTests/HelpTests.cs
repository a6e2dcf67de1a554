using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Tests.Docs;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.ModuleTests;

/// <summary>Get-Help has complete help for everything that the module exports.</summary>
public class HelpTests(HelpSession shared) : IClassFixture<HelpSession>
{
    private readonly PowerShellSession session = shared.Session;

    /// <summary>The names of the exported cmdlets.</summary>
    public static TheoryData<string> Commands()
    {
        using var session = PowerShellSession.Start();
        return [.. session.Invoke("(Get-Command -Module SignalHarvester.Backup -CommandType Cmdlet).Name").WithoutErrors().As<string>()];
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_cmdlet_has_a_synopsis_a_description_and_two_examples(string command)
    {
        Assert.NotEmpty(Texts(session, "($help = Get-Help $args[0]).Synopsis", command));
        Assert.NotEmpty(Texts(session, "$help.description.Text"));
        Assert.True(Texts(session, "$help.examples.example.code").Count >= 2, command);
        Assert.NotEmpty(Texts(session, "$help.returnValues.returnValue.type.name"));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_cmdlet_has_its_page_in_the_repository(string command)
    {
        var address = session.Invoke("(Get-Command $args[0]).HelpUri", [], command).WithoutErrors().As<string>().Single();
        Assert.Equal($"{Repository(session)}/blob/main/docs/cmdlets/{command}.md", address);
        Assert.True(File.Exists(InRepository(session, address)), address);
    }

    [Fact]
    public void The_addresses_in_the_manifest_are_of_files_in_the_repository()
    {
        foreach (var property in (string[])["LicenseUri", "IconUri"])
        {
            var address = session.Invoke("[string](Get-Module SignalHarvester.Backup).$($args[0])", [], property).WithoutErrors().As<string>().Single();
            Assert.True(File.Exists(InRepository(session, address)), address);
        }
    }

    private static string Repository(PowerShellSession session) =>
        session.Invoke("[string](Get-Module SignalHarvester.Backup).ProjectUri").WithoutErrors().As<string>().Single();

    private static string InRepository(PowerShellSession session, string address)
    {
        Assert.StartsWith(Repository(session) + "/", address, StringComparison.Ordinal);
        var path = address[(Repository(session).Length + 1)..].Split('/');
        Assert.True(path is ["blob" or "raw", "main", ..], address);
        return Path.Combine([MarkdownDocument.Root, .. path[2..]]);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_parameter_of_a_cmdlet_is_described(string command)
    {
        var parameters = session.Invoke("(Get-Command $args[0]).Parameters.Keys", [], command).WithoutErrors().As<string>()
            .Except(Cmdlet.CommonParameters);
        var described = Descriptions(session, command);
        Assert.All(parameters, p => Assert.NotEmpty(described[p]));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Tab_shows_the_first_sentence_of_a_parameters_help(string command)
    {
        var own = session.Invoke("(Get-Command $args[0]).Parameters.Keys", [], command).WithoutErrors().As<string>()
            .Except([.. Cmdlet.CommonParameters, "WhatIf", "Confirm"]);
        var described = Descriptions(session, command);
        foreach (var parameter in own)
        {
            var sentence = Assert.Single(
                Texts(session, "(Get-Command $args[0]).Parameters[$args[1]].ParameterSets.Values.HelpMessage", command, parameter).Distinct());
            Assert.StartsWith(sentence, described[parameter].First(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void The_examples_parse_and_use_parameters_that_exist(string command)
    {
        foreach (var code in Texts(session, "(Get-Help $args[0]).examples.example.code", command))
        {
            Assert.Empty(ScriptCheck.Problems(session, code));
        }
    }

    [Theory]
    [InlineData("-Full", "NAME", "SYNOPSIS", "SYNTAX", "DESCRIPTION", "PARAMETERS", "INPUTS", "OUTPUTS", "Example 1: ")]
    [InlineData("-Examples", "NAME", "SYNOPSIS", "Example 1: ", "Example 2: ")]
    [InlineData("-Parameter BackupDirectory", "-BackupDirectory <String>", "Required?", "Accept pipeline input?")]
    public void Get_Help_shows_it_all(string how, params string[] parts)
    {
        var shown = session.Render("Get-Help Get-SHBackup " + how);
        Assert.All(parts, part => Assert.Contains(part, shown, StringComparison.Ordinal));
    }

    [Fact]
    public void Examples_stand_apart()
    {
        Assert.Matches(@"\n\s*\n +-+ Example 2: .* -+\s*\n\s*\n", session.Render("Get-Help Get-SHBackup -Examples"));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Related_links_lead_to_help(string command)
    {
        Assert.All(
            Texts(session, "(Get-Help $args[0]).relatedLinks.navigationLink.linkText", command),
            link => Assert.NotEmpty(Texts(session, "(Get-Help $args[0]).Name", link)));
    }

    [Fact]
    public void Help_is_there_in_a_culture_that_has_none_of_its_own()
    {
        using var session = PowerShellSession.Start();
        Assert.NotEmpty(Texts(session, "[cultureinfo]::CurrentUICulture = 'de-DE'; (Get-Help $args[0]).description.Text", "Get-SHBackup"));
    }

    [Fact]
    public void The_about_topic_is_found()
    {
        Assert.Contains("about_SignalHarvester.Backup", session.Render("Get-Help about_SignalHarvester.Backup"), StringComparison.Ordinal);
    }

    /// <summary>The paragraphs of each parameter's help. Asked for at once: PowerShell reads all help anew for each question.</summary>
    private static ILookup<string, string> Descriptions(PowerShellSession session, string command) =>
        Texts(session, "foreach ($p in Get-Help $args[0] -Parameter *) { foreach ($text in $p.description.Text) { \"$($p.name)=$text\" } }", command)
            .Select(line => line.Split('=', 2))
            .Where(line => line[1].Trim().Length > 0)
            .ToLookup(line => line[0], line => line[1]);

    private static IReadOnlyList<string> Texts(PowerShellSession session, string script, params object[] arguments) =>
        [.. session.Invoke(script, [], arguments).WithoutErrors().Output.Select(o => o?.ToString() ?? string.Empty).Where(t => t.Trim().Length > 0)];
}
