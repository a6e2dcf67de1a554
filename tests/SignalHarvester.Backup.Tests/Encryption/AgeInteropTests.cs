using System.Security.Cryptography;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Encryption;

/// <summary>Debian's age decrypts what we encrypt, and the other way round.</summary>
public sealed class AgeInteropTests : IDisposable
{
    private readonly AgeFiles files = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData((64 << 10) - 1)]
    [InlineData(64 << 10)]
    [InlineData((64 << 10) + 1)]
    [InlineData(100 << 20)]
    public void A_key_opens_either_s_files(int length)
    {
        var age = Tool.Require("age");
        var content = RandomNumberGenerator.GetBytes(length);
        var ours = files.Encrypt("ours.age", content, BackupEncryption.To([files.Recipient]));
        age.Run("-d", "-i", files.KeyFile, "-o", files["plain"], ours).EnsureSuccess();
        Assert.True(content.AsSpan().SequenceEqual(Decrypted()));

        File.WriteAllBytes(files["in"], content);
        age.Run("-r", files.Recipient, "-o", files["theirs.age"], files["in"]).EnsureSuccess();
        Assert.True(content.AsSpan().SequenceEqual(AgeFiles.Decrypt(files["theirs.age"], files.Ring)));
    }

    [Fact]
    public void A_key_that_age_has_made_opens_files_and_so_does_each_of_several()
    {
        Tool.Require("age-keygen").Run("-o", files["theirs.txt"]).EnsureSuccess();
        var theirs = File.ReadLines(files["theirs.txt"]).Single(line => line.StartsWith("# public key: ", StringComparison.Ordinal))[14..];
        var content = RandomNumberGenerator.GetBytes(1000);
        var path = files.Encrypt("both.age", content, BackupEncryption.To([files.Recipient, theirs]));
        foreach (var key in (string[])[files.KeyFile, files["theirs.txt"]])
        {
            Tool.Require("age").Run("-d", "-i", key, "-o", files["plain"], path).EnsureSuccess();
            Assert.Equal(content, File.ReadAllBytes(files["plain"]));
            Assert.Equal(content, AgeFiles.Decrypt(path, IdentityRing.Empty.WithFile(key, TestContext.Current.CancellationToken)));
        }

        // If age-keygen accepts the file as a key of its own, it shows the public half.
        Assert.Equal(files.Recipient, Tool.Require("age-keygen").Run("-y", files.KeyFile).EnsureSuccess().Output.Trim());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData((64 << 10) + 1)]
    public void A_passphrase_opens_either_s_files(int length)
    {
        // age asks on a terminal, which script provides; the answer is only read after the question.
        var script = Tool.Require("script");
        Tool.Require("age");
        const string Words = "korrekt pferd Ωhm";
        var content = RandomNumberGenerator.GetBytes(length);
        var ours = files.Encrypt("ours.age", content, BackupEncryption.With(Words));
        File.WriteAllBytes(files["in"], content);
        var asked = $"{Words}\n{Words}\n";
        script.RunWithInput(asked, "-qec", $"age -d -o '{files["plain"]}' '{ours}'", "/dev/null");
        Assert.Equal(content, Decrypted());

        script.RunWithInput(asked, "-qec", $"age -p -o '{files["theirs.age"]}' '{files["in"]}'", "/dev/null");
        Assert.Equal(content, AgeFiles.Decrypt(files["theirs.age"], IdentityRing.Empty.WithPassphrase(Words)));
    }

    public void Dispose() => files.Dispose();

    /// <summary>Returns age's output; it makes no file if there is no content.</summary>
    private byte[] Decrypted() => File.Exists(files["plain"]) ? File.ReadAllBytes(files["plain"]) : [];
}
