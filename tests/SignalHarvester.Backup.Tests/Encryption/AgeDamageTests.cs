using System.Security.Cryptography;
using System.Text;
using CsCheck;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Encryption.Age;
using Xunit;

namespace SignalHarvester.Backup.Tests.Encryption;

/// <summary>An encrypted file that is not what was written gives a fault, and no byte that was not written.</summary>
public sealed class AgeDamageTests : IDisposable
{
    private const int PieceStored = (64 << 10) + 16;

    private readonly AgeFiles _files = new();
    private readonly byte[] _content = RandomNumberGenerator.GetBytes((3 * (64 << 10)) + 777);
    private readonly byte[] _stored;
    private readonly int _payload;

    public AgeDamageTests()
    {
        _stored = File.ReadAllBytes(_files.Encrypt("good.age", _content, BackupEncryption.To([_files.Recipient])));
        _payload = AgeHeader.Parse(_stored).Bytes.Length + AgePayload.NonceSize;
    }

    [Fact]
    public void Any_content_in_any_pieces_comes_back() => Gen.Select(Gen.Int[0, 200_000], Gen.Int[1, 150_000]).Sample(
        (length, piece) =>
        {
            using var files = new AgeFiles();
            byte[] content = RandomNumberGenerator.GetBytes(length);
            string path = files.Encrypt("any.age", content, BackupEncryption.To([files.Recipient]), piece);
            Assert.Equal(content, AgeFiles.Decrypt(path, files.Ring));
        },
        iter: 40);

    [Fact]
    public void A_flipped_bit_anywhere_is_found()
    {
        // Every byte of the header, and a thousand places of the rest.
        IEnumerable<int> places = Enumerable.Range(0, _payload).Concat(Enumerable.Range(0, 1000).Select(_ => RandomNumberGenerator.GetInt32(_payload, _stored.Length)));
        foreach (int place in places)
        {
            byte[] damaged = [.. _stored];
            damaged[place] ^= (byte)(1 << RandomNumberGenerator.GetInt32(8));
            Refuse(damaged, $"bit at {place}");
        }
    }

    [Fact]
    public void A_file_cut_anywhere_is_found()
    {
        IEnumerable<int> lengths = Enumerable.Range(0, _payload + 20)
            .Concat(Enumerable.Range(0, 3).Select(piece => _payload + ((piece + 1) * PieceStored)))
            .Concat(Enumerable.Range(0, 100).Select(_ => RandomNumberGenerator.GetInt32(_payload, _stored.Length)));
        foreach (int length in lengths)
        {
            Refuse(_stored[..length], $"cut to {length}");
        }
    }

    [Fact]
    public void Pieces_moved_dropped_doubled_or_added_are_found()
    {
        byte[][] pieces = [.. _stored[_payload..].Chunk(PieceStored)];
        byte[] head = _stored[.._payload];
        Refuse([.. head, .. pieces[1], .. pieces[0], .. pieces[2], .. pieces[3]], "swapped");
        Refuse([.. head, .. pieces[0], .. pieces[2], .. pieces[3]], "dropped");
        Refuse([.. head, .. pieces[0], .. pieces[0], .. pieces[1], .. pieces[2], .. pieces[3]], "doubled");
        Refuse([.. head, .. pieces[3]], "the last alone");
        Refuse([.. _stored, 0], "one byte more");
        Refuse([.. _stored, .. pieces[3]], "the last twice");
    }

    [Fact]
    public void A_header_that_others_were_added_to_or_taken_from_is_found()
    {
        using var other = new AgeFiles();
        byte[] two = File.ReadAllBytes(_files.Encrypt("two.age", _content, BackupEncryption.To([_files.Recipient, other.Recipient])));
        string[] lines = Encoding.Latin1.GetString(two).Split('\n', 7);
        Refuse(Encoding.Latin1.GetBytes(string.Join('\n', [.. lines[..3], .. lines[5..]])), "a recipient less");
        string[] one = Encoding.Latin1.GetString(_stored).Split('\n', 5);
        Refuse(Encoding.Latin1.GetBytes(string.Join('\n', [.. one[..3], lines[3], lines[4], .. one[3..]])), "a recipient more");
    }

    [Fact]
    public void A_passphrase_that_would_exhaust_the_machine_is_refused_at_once()
    {
        string path = _files.Encrypt("hard.age", [1, 2, 3], BackupEncryption.With("a b c"));
        foreach (string factor in (string[])["21", "25", "63", "99", "0", "01", "+1", "999999999999999999999"])
        {
            byte[] forged = Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(File.ReadAllBytes(path)).Replace(" 18\n", $" {factor}\n", StringComparison.Ordinal));
            File.WriteAllBytes(_files["forged.age"], forged);
            Assert.Throws<InvalidDataException>(() => AgeFiles.Decrypt(_files["forged.age"], IdentityRing.Empty.WithPassphrase("a b c")));
        }
    }

    [Fact]
    public void A_wrong_key_and_a_missing_one_are_told_apart()
    {
        using var other = new AgeFiles();
        Assert.Equal(BackupErrorId.IdentityMissing, Assert.Throws<BackupException>(() => AgeFiles.Decrypt(_files["good.age"], IdentityRing.Empty)).ErrorId);
        Assert.Equal(BackupErrorId.IdentityWrong, Assert.Throws<BackupException>(() => AgeFiles.Decrypt(_files["good.age"], other.Ring)).ErrorId);
        Assert.Equal(BackupErrorId.IdentityWrong, Assert.Throws<BackupException>(() => AgeFiles.Decrypt(_files["good.age"], IdentityRing.Empty.WithPassphrase("x"))).ErrorId);
        string path = _files.Encrypt("words.age", [1, 2, 3], BackupEncryption.With("right"));
        Assert.Equal(BackupErrorId.IdentityWrong, Assert.Throws<BackupException>(() => AgeFiles.Decrypt(path, _files.Ring.WithPassphrase("wrong"))).ErrorId);
    }

    public void Dispose() => _files.Dispose();

    private void Refuse(byte[] damaged, string how)
    {
        File.WriteAllBytes(_files["damaged.age"], damaged);
        var found = new MemoryStream();
        Exception? fault = Record.Exception(() => AgeFiles.Decrypt(_files["damaged.age"], _files.Ring, found));
        Assert.True(fault is InvalidDataException or BackupException { ErrorId: BackupErrorId.IdentityWrong }, $"{how}: {fault}");
        Assert.True(_content.AsSpan().StartsWith(found.ToArray()), $"{how}: bytes came out that were never written");
    }
}
