using System.Text.RegularExpressions;
using SignalHarvester.Backup.Configuration;
using Xunit;

namespace SignalHarvester.Backup.Tests.Configuration;

/// <summary>Every line of the samples is right, and no key is missing in the full one.</summary>
public sealed partial class SampleTests
{
    [Fact]
    public void The_short_sample_is_six_lines_that_are_right_and_says_where_the_others_are()
    {
        Assert.Equal(6, ConfigurationSample.Essential.Split('\n').Count(line => line.Length > 2 && !(line[0] == '#' && char.IsLetter(line[2]))));
        Assert.Contains("New-SHBackupConfiguration -Full", ConfigurationSample.Essential, StringComparison.Ordinal);
        Assert.Contains("docs/CONFIGURATION.md", ConfigurationSample.Essential, StringComparison.Ordinal);
        using var all = new Configured(CommentedOut().Replace(ConfigurationSample.Essential, "$1"));
        Assert.Empty(all.Problems());
        Assert.Equal("/mnt/nas/backups", all.Settings.Stores.Single(store => store.Enabled).Location.Container);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_sample_has_no_problem(bool isFull)
    {
        using var configured = new Configured(isFull ? ConfigurationSample.Full : ConfigurationSample.Essential);
        Assert.Empty(configured.Problems());
        Assert.Equal(configured["var", "app.db"], configured.Settings.Databases[0].Path);
        Assert.Equal(BackupStrategy.Auto, configured.Settings.Incremental.Type);
    }

    [Fact]
    public void What_is_commented_out_in_the_sample_is_right_too_and_every_key_is_in_it()
    {
        using var configured = new Configured(CommentedOut().Replace(ConfigurationSample.Full, "$1"));
        Assert.Empty(configured.Problems());

        // The entries of stores have the keys of the sections for their providers.
        Assert.Empty(configured.Read.Effective
            .Where(setting => setting.Source == ConfigurationSource.Default && !setting.Key.StartsWith("app.backup.stores.", StringComparison.Ordinal))
            .Select(setting => setting.Key));
    }

    [Fact]
    public void What_the_sample_sets_is_the_default_but_for_the_kind_of_backup()
    {
        using var configured = new Configured(ConfigurationSample.Full);
        using var nothing = new Configured(string.Empty);
        var defaults = nothing.Read.Effective.ToDictionary(setting => setting.Key, setting => setting.Value);
        Assert.Equal(
            ["app.database_path", "app.backup.backup_dir", "app.backup.incremental.type"],
            configured.Read.Effective.Where(setting => setting.Value != defaults[setting.Key]).Select(setting => setting.Key));
    }

    [GeneratedRegex("(?m)^#( {4,}(?:- |[a-z_]+:).*)$")]
    private static partial Regex CommentedOut();
}
