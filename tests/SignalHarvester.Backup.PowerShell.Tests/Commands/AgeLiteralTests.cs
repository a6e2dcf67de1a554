using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>An age in a pipeline selects what a user means, or is an error; it never selects more.</summary>
public class AgeLiteralTests
{
    private static readonly TimeSpan[] Ages =
    [
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(11),
        TimeSpan.FromHours(13),
        TimeSpan.FromDays(27.9),
        TimeSpan.FromDays(29.9),
        TimeSpan.FromDays(30.1),
        TimeSpan.FromDays(181),
        TimeSpan.FromDays(366),
        TimeSpan.FromDays(1500),
    ];

    /// <summary>Literals as typed, and how many of <see cref="Ages"/> are younger.</summary>
    public static TheoryData<string, int> Literals => new()
    {
        { "30d", 5 },
        { "0.5d", 2 },
        { "0d", 0 },
        { "'30d'", 5 },
        { "'12h'", 2 },
        { "\"12h\"", 2 },
        { "'720h'", 5 },
        { "'45m'", 1 },
        { "'3600s'", 1 },
        { "'4w'", 4 },
        { "'1.5w'", 3 },
        { "'6mo'", 6 },
        { "'2700sec'", 1 },
        { "'2701seconds'", 1 },
        { "'45min'", 1 },
        { "'46minutes'", 1 },
        { "'1hour'", 1 },
        { "'12hours'", 2 },
        { "'1day'", 3 },
        { "'30days'", 5 },
        { "'1week'", 3 },
        { "'4weeks'", 4 },
        { "'1month'", 5 },
        { "'6months'", 6 },
        { "'1year'", 7 },
        { "'4years'", 8 },
        { "'1y'", 7 },
        { "'4y'", 8 },
        { "([timespan]::FromDays(30))", 5 },
        { "([SignalHarvester.Backup.BackupAge]'30d')", 5 },
    };

    /// <summary>Barewords, which only arguments may be.</summary>
    public static TheoryData<string, int> Barewords => new()
    {
        { "12h", 2 },
        { "4w", 4 },
        { "6mo", 6 },
        { "1.5w", 3 },
        { "45min", 1 },
        { "30days", 5 },
    };

    /// <summary>Texts that PowerShell reads as numbers of its own kinds (Int16, SByte) although they look like ages.</summary>
    public static TheoryData<string> SuffixedNumbers => ["30s", "4y"];

    /// <summary>Texts that are no ages: numbers without a unit in every disguise, and nonsense.</summary>
    public static TheoryData<string> NotAges =>
        [
            "30", "30l", "30u", "30n", "1kb", "30.5", "3e1", "''", "' '", "'30'", "'d'", "'30 days'", "'-30d'", "-30d", "'30D'", "'1,5d'", "'1mon'",
            "'5mins'", "'nonsense'", "$true", "(Get-Command Get-SHBackup)",
        ];

    [Theory]
    [MemberData(nameof(Literals))]
    [MemberData(nameof(Barewords))]
    public void Where_Object_selects_exactly_the_older_ones(string literal, int younger)
    {
        using var workspace = Filled(out var ids);
        Assert.Equal(ids[younger..], Selected(workspace, $"Where Age -gt {literal}"));
        Assert.Equal(ids[younger..], Selected(workspace, $"Where-Object Age -ge {literal}"));
        Assert.Equal(ids[..younger], Selected(workspace, $"Where Age -lt {literal}"));
        Assert.Equal(ids[..younger], Selected(workspace, $"Where-Object Age -le {literal}"));
        Assert.Empty(Selected(workspace, $"Where Age -eq {literal}"));
    }

    [Theory]
    [MemberData(nameof(Literals))]
    public void A_script_block_selects_exactly_the_older_ones(string literal, int younger)
    {
        using var workspace = Filled(out var ids);
        Assert.Equal(ids[younger..], Selected(workspace, $"Where-Object {{ $_.Age -gt {literal} }}"));
        Assert.Equal(ids[younger..], Selected(workspace, $"Where-Object {{ $_.Age -ge {literal} }}"));
        Assert.Equal(ids[..younger], Selected(workspace, $"Where-Object {{ $_.Age -lt {literal} }}"));
        Assert.Equal(ids[..younger], Selected(workspace, $"Where-Object {{ $_.Age -le {literal} }}"));
        Assert.Empty(Selected(workspace, $"Where-Object {{ $_.Age -eq {literal} }}"));
    }

    [Theory]
    [MemberData(nameof(Literals))]
    [MemberData(nameof(Barewords))]
    public void OlderThan_selects_exactly_the_older_ones(string literal, int younger)
    {
        using var workspace = Filled(out var ids);
        Assert.Equal(ids[younger..], Workspace.Ids(workspace.Run($"Get-SHBackup -OlderThan {literal}").WithoutErrors()));
    }

    [Theory]
    [MemberData(nameof(NotAges))]
    [MemberData(nameof(SuffixedNumbers))]
    public void What_is_no_age_is_an_error_and_never_a_match(string literal)
    {
        using var workspace = Filled(out _);
        foreach (var comparison in (string[])["-gt", "-lt", "-ge", "-le"])
        {
            foreach (var where in (string[])[$"Where Age {comparison} {literal}", $"Where-Object {{ $_.Age {comparison} {literal} }}"])
            {
                var result = workspace.Run("Get-SHBackup | " + where);
                Assert.True(
                    result.Output.Count == 0 && result.Errors.Count > 0, $"{where} gave {result.Output.Count} backups and {result.Errors.Count} errors");
            }
        }
    }

    [Theory]
    [MemberData(nameof(NotAges))]
    [MemberData(nameof(SuffixedNumbers))]
    public void What_is_no_age_equals_no_age(string literal)
    {
        // PowerShell itself treats different kinds of things as unequal, without an error.
        using var workspace = Filled(out _);
        Assert.Empty(workspace.Run($"Get-SHBackup | Where Age -eq {literal}").Output);
        Assert.Empty(workspace.Run($"Get-SHBackup | Where-Object {{ $_.Age -eq {literal} }}").Output);
    }

    [Theory]
    [MemberData(nameof(NotAges))]
    public void OlderThan_refuses_what_is_no_age(string literal)
    {
        using var workspace = Filled(out _);
        var result = workspace.Run($"Get-SHBackup -OlderThan {literal}");
        Assert.Empty(result.Output);
        Assert.Equal(
            "CannotConvertArgumentNoMessage,SignalHarvester.Backup.PowerShell.Commands.GetSHBackupCommand", Assert.Single(result.Errors).FullyQualifiedErrorId);
    }

    [Theory]
    [InlineData("30s", 0)]
    [InlineData("4y", 8)]
    public void OlderThan_gets_the_text_as_typed_so_that_a_suffixed_number_is_the_age_it_looks_like(string literal, int younger)
    {
        using var workspace = Filled(out var ids);
        Assert.Equal(ids[younger..], Workspace.Ids(workspace.Run($"Get-SHBackup -OlderThan {literal}").WithoutErrors()));
    }

    [Theory]
    [MemberData(nameof(NotAges))]
    [MemberData(nameof(SuffixedNumbers))]
    public void What_is_no_age_removes_nothing(string literal)
    {
        using var workspace = Filled(out var ids);
        foreach (var where in (string[])
            [
                $"Where Age -gt {literal}",
                $"Where Age -lt {literal}",
                $"Where Age -eq {literal}",
                $"Where-Object {{ $_.Age -gt {literal} }}",
                $"Where-Object {{ $_.Age -le {literal} }}",
            ])
        {
            Assert.Empty(workspace.Run($"Get-SHBackup | {where} | Remove-SHBackup -Force").Output);
            Assert.Equal(ids, workspace.Listed());
        }
    }

    [Theory]
    [MemberData(nameof(NotAges))]
    public void OlderThan_what_is_no_age_removes_nothing(string literal)
    {
        using var workspace = Filled(out var ids);
        Assert.Empty(workspace.Run($"Get-SHBackup -OlderThan {literal} | Remove-SHBackup -Force").Output);
        Assert.Equal(ids, workspace.Listed());
    }

    [Theory]
    [InlineData("30d")]
    [InlineData("'30d'")]
    [InlineData("'720h'")]
    public void Old_backups_are_removed_and_the_others_stay(string literal)
    {
        using var workspace = Filled(out var ids);
        var removed = workspace.Run($"Get-SHBackup | Where Age -gt {literal} | Remove-SHBackup -Force").WithoutErrors();
        Assert.Equal(ids[5..].Order(), Workspace.Ids(removed).Order());
        Assert.Equal(ids[..5], workspace.Listed());
    }

    [Fact]
    public void The_error_names_the_form_that_an_age_has()
    {
        using var workspace = Filled(out _);
        var record = workspace.Run("Get-SHBackup -OlderThan 30").Errors.Single();
        Assert.Contains("30", record.Exception.Message, StringComparison.Ordinal);
        record = workspace.Run("Get-SHBackup -OlderThan '30'").Errors.Single();
        Assert.Contains("such as 30d, '12h' or '6mo'", record.Exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(SuffixedNumbers))]
    public void What_PowerShell_read_as_a_number_of_its_own_is_answered_with_the_quotes_that_it_needs(string literal)
    {
        using var workspace = Filled(out _);
        Assert.Contains("in quotes", workspace.Run($"Get-SHBackup | Where Age -gt {literal}").Errors[0].Exception.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> Selected(Workspace workspace, string where) =>
        Workspace.Ids(workspace.Run("Get-SHBackup | " + where).WithoutErrors());

    private static Workspace Filled(out string[] ids)
    {
        var workspace = new Workspace();
        ids = [.. Ages.Select(age => workspace.AddBackup(age))];
        return workspace;
    }
}
