using System.Reflection;
using Xunit;

namespace SignalHarvester.Backup.Tests.Errors;

/// <summary>The id of an error determines its category.</summary>
public sealed class BackupExceptionTests
{
    public static TheoryData<string> Ids =>
        [
            .. typeof(BackupErrorId).GetFields(BindingFlags.Public | BindingFlags.Static)
                .Where(constant => constant.IsLiteral)
                .Select(constant => (string)constant.GetRawConstantValue()!),
        ];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Each_id_has_a_category(string id) => Assert.True(Enum.IsDefined(new BackupException(id, "item", "What to do.").Category));

    [Fact]
    public void A_place_may_know_a_better_one() =>
        Assert.Equal(
            BackupErrorCategory.SecurityError,
            new BackupException(BackupErrorId.ScheduleInvalid, BackupErrorCategory.SecurityError, "item", "What to do.").Category);
}
