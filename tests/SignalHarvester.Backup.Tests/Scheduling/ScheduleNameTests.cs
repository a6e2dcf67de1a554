using CsCheck;
using SignalHarvester.Backup.Scheduling;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

namespace SignalHarvester.Backup.Tests.Scheduling;

/// <summary>A name is any text; every file system and scheduler accepts its key.</summary>
public sealed class ScheduleNameTests
{
    private static readonly Gen<string> Names =
        Gen.OneOf(Gen.String[1, 60], Gen.Int[0, Scheduled.HostileTexts.Length - 1].Select(index => Scheduled.HostileTexts[index])).Where(name => IsValid(name));

    [Fact]
    public void Keys_are_plain_and_different_for_different_names()
    {
        Gen.Select(Names, Names).Sample(
            (one, other) =>
            {
                Assert.Matches("^[a-z0-9_-]{1,120}$", ScheduleName.Key(one));
                Assert.Equal(
                    string.Equals(one.ToLowerInvariant(), other.ToLowerInvariant(), StringComparison.Ordinal),
                    ScheduleName.Key(one) == ScheduleName.Key(other));
            },
            iter: Iterations.Of(2000));
        Assert.Equal("n_c3_a4chtlich-1_5f_2e", ScheduleName.Key("Nächtlich-1_."));
        Assert.NotEqual(ScheduleName.Key(new string('ä', 90)), ScheduleName.Key(new string('ä', 91)));
    }

    [Fact]
    public void What_no_file_and_no_command_line_can_carry_is_refused()
    {
        // Not as data of a theory, because an attribute cannot hold half of a surrogate pair.
        foreach (var name in new[] { "", " \t\n", "nul\0", "half \uD83D of a pair", "\uDE00", new string('x', ScheduleName.MostCharacters + 1) })
        {
            var exception = Assert.Throws<BackupException>(() => ScheduleName.Validate(name));
            Assert.Equal(BackupErrorId.InvalidArgument, exception.ErrorId);
        }
    }

    private static bool IsValid(string name)
    {
        try
        {
            ScheduleName.Validate(name);
            return true;
        }
        catch (BackupException)
        {
            return false;
        }
    }
}
