using System.Security.Cryptography;
using System.Text;
using CsCheck;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Encryption.Age;
using Xunit;

namespace SignalHarvester.Backup.Tests.Encryption;

/// <summary>A changed encrypted file causes a fault, and returns no byte that was not written.</summary>
public sealed class AgeDamageTests : IDisposable
{
    private const int PieceStored = (64 << 10) + 16;

    private readonly AgeFiles files = new();
    private readonly byte[] content = RandomNumberGenerator.GetBytes((3 * (64 << 10)) + 777);
    private readonly byte[] stored;
    private readonly int payload;

    public AgeDamageTests()
    {
        stored = File.ReadAllBytes(files.Encrypt("good.age", content, BackupEncryption.To([files.Recipient])));
        payload = AgeHeader.Parse(stored).Bytes.Length + AgePayload.NonceSize;
    }

    [Fact]
    public void Any_content_in_any_pieces_comes_back() => Gen.Select(Gen.Int[0, 200_000], Gen.Int[1, 150_000]).Sample(
        (length, piece) =>
        {
            using var files = new AgeFiles();
            var content = RandomNumberGenerator.GetBytes(length);
            var path = files.Encrypt("any.age", content, BackupEncryption.To([files.Recipient]), piece);
            Assert.Equal(content, AgeFiles.Decrypt(path, files.Ring));
        },
        iter: 40);

    [Fact]
    public void A_flipped_bit_anywhere_is_found()
    {
        // Every byte of the header, and a thousand places in the rest.
        var places = Enumerable.Range(0, payload).Concat(Enumerable.Range(0, 1000).Select(_ => RandomNumberGenerator.GetInt32(payload, stored.Length)));
        foreach (var place in places)
        {
            byte[] damaged = [.. stored];
            damaged[place] ^= (byte)(1 << RandomNumberGenerator.GetInt32(8));
            Refuse(damaged, $"bit at {place}");
        }
    }

    [Fact]
    public void A_file_cut_anywhere_is_found()
    {
        var lengths = Enumerable.Range(0, payload + 20)
            .Concat(Enumerable.Range(0, 3).Select(piece => payload + ((piece + 1) * PieceStored)))
            .Concat(Enumerable.Range(0, 100).Select(_ => RandomNumberGenerator.GetInt32(payload, stored.Length)));
        foreach (var length in lengths)
        {
            Refuse(stored[..length], $"cut to {length}");
        }
    }

    [Fact]
    public void Pieces_moved_dropped_doubled_or_added_are_found()
    {
        byte[][] pieces = [.. stored[payload..].Chunk(PieceStored)];
        var head = stored[..payload];
        Refuse([.. head, .. pieces[1], .. pieces[0], .. pieces[2], .. pieces[3]], "swapped");
        Refuse([.. head, .. pieces[0], .. pieces[2], .. pieces[3]], "dropped");
        Refuse([.. head, .. pieces[0], .. pieces[0], .. pieces[1], .. pieces[2], .. pieces[3]], "doubled");
        Refuse([.. head, .. pieces[3]], "the last alone");
        Refuse([.. stored, 0], "one byte more");
        Refuse([.. stored, .. pieces[3]], "the last twice");
    }

    [Fact]
    public void A_header_that_others_were_added_to_or_taken_from_is_found()
    {
        using var other = new AgeFiles();
        var two = File.ReadAllBytes(files.Encrypt("two.age", content, BackupEncryption.To([files.Recipient, other.Recipient])));
        var lines = Encoding.Latin1.GetString(two).Split('\n', 7);
        Refuse(Encoding.Latin1.GetBytes(string.Join('\n', [.. lines[..3], .. lines[5..]])), "a recipient less");
        var one = Encoding.Latin1.GetString(stored).Split('\n', 5);
        Refuse(Encoding.Latin1.GetBytes(string.Join('\n', [.. one[..3], lines[3], lines[4], .. one[3..]])), "a recipient more");
    }

    [Fact]
    public void A_passphrase_that_would_exhaust_the_machine_is_refused_at_once()
    {
        var path = files.Encrypt("hard.age", [1, 2, 3], BackupEncryption.With("a b c"));
        foreach (var factor in (string[])["21", "25", "63", "99", "0", "01", "+1", "999999999999999999999"])
        {
            var forged = Encoding.Latin1.GetBytes(
                Encoding.Latin1.GetString(File.ReadAllBytes(path)).Replace(" 18\n", $" {factor}\n", StringComparison.Ordinal));
            File.WriteAllBytes(files["forged.age"], forged);
            Assert.Throws<InvalidDataException>(() => AgeFiles.Decrypt(files["forged.age"], IdentityRing.Empty.WithPassphrase("a b c")));
        }
    }

    [Fact]
    public void A_wrong_key_and_a_missing_one_are_told_apart()
    {
        using var other = new AgeFiles();
        Assert.Equal(BackupErrorId.IdentityMissing, Assert.Throws<BackupException>(() => AgeFiles.Decrypt(files["good.age"], IdentityRing.Empty)).ErrorId);
        Assert.Equal(BackupErrorId.IdentityWrong, Assert.Throws<BackupException>(() => AgeFiles.Decrypt(files["good.age"], other.Ring)).ErrorId);
        Assert.Equal(
            BackupErrorId.IdentityWrong,
            Assert.Throws<BackupException>(() => AgeFiles.Decrypt(files["good.age"], IdentityRing.Empty.WithPassphrase("x"))).ErrorId);
        var path = files.Encrypt("words.age", [1, 2, 3], BackupEncryption.With("right"));
        Assert.Equal(BackupErrorId.IdentityWrong, Assert.Throws<BackupException>(() => AgeFiles.Decrypt(path, files.Ring.WithPassphrase("wrong"))).ErrorId);
    }

    public void Dispose() => files.Dispose();

    private void Refuse(byte[] damaged, string how)
    {
        File.WriteAllBytes(files["damaged.age"], damaged);
        var found = new MemoryStream();
        var fault = Record.Exception(() => AgeFiles.Decrypt(files["damaged.age"], files.Ring, found));
        Assert.True(fault is InvalidDataException or BackupException { ErrorId: BackupErrorId.IdentityWrong }, $"{how}: {fault}");
        Assert.True(content.AsSpan().StartsWith(found.ToArray()), $"{how}: bytes came out that were never written");
    }
}
