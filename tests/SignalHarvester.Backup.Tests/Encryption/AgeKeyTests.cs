using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Encryption.Age;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Encryption;

/// <summary>Keys as people write, mistype and lose them.</summary>
public sealed class AgeKeyTests : IDisposable
{
    private const string PublicKey = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    private readonly TempFolder folder = new();

    [Fact]
    public void A_public_key_with_any_letter_mistyped_is_refused()
    {
        Assert.NotNull(X25519Recipient.TryParse(PublicKey));
        Assert.Equal(PublicKey, X25519Recipient.TryParse(PublicKey)!.Text);
        for (var place = 0; place < PublicKey.Length; place++)
        {
            var other = PublicKey[place] == 'q' ? 'p' : 'q';
            var mistyped = PublicKey[..place] + other + PublicKey[(place + 1)..];
            var fault = Assert.Throws<BackupException>(() => BackupEncryption.To([mistyped]));
            Assert.Equal((BackupErrorId.RecipientInvalid, mistyped), (fault.ErrorId, fault.Target));
        }

        Assert.All([PublicKey.ToUpperInvariant(), PublicKey + "q", PublicKey[..^1], "", "age1", PublicKey + "\n", "AGE-SECRET-KEY-1"], text =>
            Assert.Equal(BackupErrorId.RecipientInvalid, Assert.Throws<BackupException>(() => BackupEncryption.To([text])).ErrorId));
    }

    [Fact]
    public void A_secret_key_given_as_a_recipient_is_shown_nowhere()
    {
        BackupKeys.Create(folder["key"], TimeProvider.System);
        var secret = File.ReadLines(folder["key"]).Last();
        var fault = Assert.Throws<BackupException>(() => BackupEncryption.To([secret]));
        Assert.DoesNotContain(secret[..30], fault.ToString() + fault.Target, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# a remark alone\n")]
    [InlineData("AGE-SECRET-KEY-1QQQQ")]
    [InlineData("not a key")]
    [InlineData(PublicKey)]
    [InlineData("age-encryption.org/v1\n")]
    public void A_file_that_holds_no_key_says_why_and_shows_nothing_of_it(string content)
    {
        File.WriteAllText(folder["key"], content);
        var fault = Assert.Throws<BackupException>(() => IdentityRing.Empty.WithFile(folder["key"], TestContext.Current.CancellationToken));
        Assert.Equal((BackupErrorId.IdentityInvalid, folder["key"]), (fault.ErrorId, fault.Target));
        Assert.DoesNotContain("QQQQ", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Remarks_blank_lines_and_line_ends_of_windows_are_read_over()
    {
        BackupKeys.Create(folder["one"], TimeProvider.System);
        BackupKeys.Create(folder["two"], TimeProvider.System);
        File.WriteAllText(
            folder["both"], "\uFEFF# mine\r\n\r\n" + string.Join("\r\n", File.ReadLines(folder["one"]).Concat(File.ReadLines(folder["two"]))) + "\r\n");
        Assert.Equal(2, IdentityFile.Read(folder["both"], TestContext.Current.CancellationToken).Count);
    }

    [Fact]
    public void A_file_of_a_key_is_its_owner_s_alone_and_never_overwritten()
    {
        BackupKeys.Create(folder["key"], TimeProvider.System);
        var before = File.ReadAllText(folder["key"]);
        Assert.Equal(BackupErrorId.IdentityFileExists, Assert.Throws<BackupException>(() => BackupKeys.Create(folder["key"], TimeProvider.System)).ErrorId);
        Assert.Equal(before, File.ReadAllText(folder["key"]));
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Path));
        Assert.Equal(
            BackupErrorId.DestinationNotWritable, Assert.Throws<BackupException>(() => BackupKeys.Create(folder["none/key"], TimeProvider.System)).ErrorId);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder["key"]));
        }
    }

    public void Dispose() => folder.Dispose();
}
