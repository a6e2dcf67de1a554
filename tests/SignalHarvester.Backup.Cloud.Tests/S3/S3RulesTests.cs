using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.S3;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.S3;

/// <summary>Tests without a server: the meanings of answers, checksums, sizes of parts, bad locations.</summary>
public sealed class S3RulesTests
{
    private static readonly StoreLocation Bucket = new() { Provider = CloudProvider.S3, Container = "bucket", Prefix = "a b" };

    [Theory]
    [InlineData("NoSuchBucket", 404, BackupErrorId.CloudContainerNotFound)]
    [InlineData("NoSuchKey", 404, BackupErrorId.CloudObjectNotFound)]
    [InlineData("NoSuchUpload", 404, BackupErrorId.CloudUploadLost)]
    [InlineData("PreconditionFailed", 412, BackupErrorId.CloudObjectExists)]
    [InlineData("ConditionalRequestConflict", 409, BackupErrorId.CloudUnavailable)]
    [InlineData("BadDigest", 400, BackupErrorId.CloudChecksumMismatch)]
    [InlineData("XAmzContentSHA256Mismatch", 400, BackupErrorId.CloudChecksumMismatch)]
    [InlineData("RequestTimeTooSkewed", 403, BackupErrorId.CloudClockSkew)]
    [InlineData("PermanentRedirect", 301, BackupErrorId.CloudRegionWrong)]
    [InlineData("AuthorizationHeaderMalformed", 400, BackupErrorId.CloudRegionWrong)]
    [InlineData("IllegalLocationConstraintException", 400, BackupErrorId.CloudRegionWrong)]
    [InlineData("InvalidAccessKeyId", 403, BackupErrorId.CloudAccessDenied)]
    [InlineData("SignatureDoesNotMatch", 403, BackupErrorId.CloudAccessDenied)]
    [InlineData("AccessDenied", 403, BackupErrorId.CloudAccessDenied)]
    [InlineData("ExpiredToken", 400, BackupErrorId.CloudAccessDenied)]
    [InlineData("InvalidObjectState", 403, BackupErrorId.CloudRefused)]
    [InlineData("InvalidStorageClass", 400, BackupErrorId.CloudRefused)]
    [InlineData("NotImplemented", 501, BackupErrorId.CloudRefused)]
    [InlineData("KMS.NotFoundException", 400, BackupErrorId.CloudRefused)]
    [InlineData("SlowDown", 503, BackupErrorId.CloudUnavailable)]
    [InlineData("InternalError", 500, BackupErrorId.CloudUnavailable)]
    [InlineData("RequestTimeout", 408, BackupErrorId.CloudUnavailable)]
    [InlineData("", 403, BackupErrorId.CloudAccessDenied)]
    [InlineData("", 301, BackupErrorId.CloudRegionWrong)]
    public void An_answer_means(string code, int status, string errorId)
    {
        var answer = new AmazonS3Exception("words", ErrorType.Sender, code, "request", (HttpStatusCode)status);

        var error = new S3Fault(Bucket, new StoreOptions()).Translate(answer, "storing 'x'", "x");

        Assert.Equal(errorId, error?.ErrorId);
        Assert.Same(answer, error!.InnerException);
    }

    [Fact]
    public void A_message_that_could_name_a_key_is_not_repeated()
    {
        var answer = new AmazonS3Exception("The key AKIASECRET is unknown", ErrorType.Sender, "InvalidAccessKeyId", "request", HttpStatusCode.Forbidden);

        var error = new S3Fault(Bucket, new StoreOptions()).Translate(answer, "storing 'x'", "x");

        Assert.DoesNotContain("AKIASECRET", error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_several_options_the_one_that_was_meant_is_named()
    {
        var options = new StoreOptions { StorageClass = "COLD", ServerSideEncryption = "aws:kms", ImmutableFor = TimeSpan.FromDays(1) };
        string Message(string code) => new S3Fault(Bucket, options)
            .Translate(new AmazonS3Exception("words", ErrorType.Sender, code, "request", HttpStatusCode.BadRequest), "storing 'x'", "x")!.Message;

        Assert.Contains("with -StorageClass COLD: ", Message("InvalidStorageClass"), StringComparison.Ordinal);
        Assert.Contains("with -ServerSideEncryption aws:kms: ", Message("KMS.DisabledException"), StringComparison.Ordinal);
        Assert.Contains("with -ImmutableFor: ", Message("ObjectLockConfigurationNotFoundError"), StringComparison.Ordinal);
        Assert.Contains("with -StorageClass COLD, -ServerSideEncryption aws:kms, -ImmutableFor: ", Message("InvalidRequest"), StringComparison.Ordinal);
    }

    [Fact]
    public void An_exception_of_ours_or_a_stop_is_no_answer()
    {
        var fault = new S3Fault(Bucket, new StoreOptions());

        Assert.Null(fault.Translate(new OperationCanceledException(), "x", null));
        Assert.Null(fault.Translate(fault.Store.ObjectNotFound("x", null), "x", null));
    }

    [Fact]
    public void The_checksums_are_those_of_the_standards()
    {
        // The check values of the catalogues of CRCs, and of RFC 1321.
        Assert.True(S3Checksum.Matches("crc64nvme:rosUhgp5mIg=", "123456789"u8));
        Assert.True(S3Checksum.Matches("crc32:y/Q5Jg==", "123456789"u8));
        Assert.True(S3Checksum.Matches("md5:25f9e794323b453885f5181f1b624d0b", "123456789"u8));
        Assert.False(S3Checksum.Matches("md5:25f9e794323b453885f5181f1b624d0b", "12345678"u8));
        Assert.False(S3Checksum.Matches("etag:25f9e794323b453885f5181f1b624d0b", "123456789"u8));
        Assert.False(S3Checksum.Matches(null, "123456789"u8));
    }

    [Fact]
    public void What_cannot_be_compared_does_not_contradict()
    {
        UploadedPart[] parts = [Part(1, new string('a', 32)), Part(2, new string('b', 32))];
        var wrong = new string('c', 32) + "-2";

        Assert.True(S3Checksum.Contradicts(new GetObjectMetadataResponse { ETag = wrong }, null, parts));
        Assert.False(S3Checksum.Contradicts(
            new GetObjectMetadataResponse { ETag = wrong, ServerSideEncryptionMethod = ServerSideEncryptionMethod.AWSKMS }, null, parts));
        Assert.False(S3Checksum.Contradicts(new GetObjectMetadataResponse { ETag = wrong }, null, [parts[0], Part(2, "no MD5")]));
        Assert.False(S3Checksum.Contradicts(new GetObjectMetadataResponse { ETag = "some other kind-2" }, null, parts));
    }

    [Fact]
    public void An_object_is_held_against_its_parts_or_its_crc()
    {
        UploadedPart[] parts = [Part(1, "25f9e794323b453885f5181f1b624d0b"), Part(2, "5289df737df57326fcdd22597afb1fac")];
        var tag = Convert.ToHexStringLower(S3Checksum.Md5(Convert.FromHexString(parts[0].Tag + parts[1].Tag)));

        Assert.False(S3Checksum.Contradicts(new GetObjectMetadataResponse { ETag = $"\"{tag}-2\"" }, null, parts));
        Assert.True(S3Checksum.Contradicts(new GetObjectMetadataResponse { ETag = $"\"{tag}-2\"" }, null, [parts[1], parts[0]]));
        Assert.True(S3Checksum.Contradicts(new GetObjectMetadataResponse { ETag = $"\"{tag}-2\"", ChecksumCRC64NVME = "rosUhgp5mIg=" }, 1, parts));
        Assert.False(S3Checksum.Contradicts(new GetObjectMetadataResponse { ETag = "x", ChecksumCRC64NVME = "rosUhgp5mIg=" }, 0xAE8B14860A799888, parts));
    }

    [Fact]
    public void An_md5_is_none_under_a_kms_key()
    {
        Assert.StartsWith("md5:", S3Checksum.OfObject(new string('a', 32), null, ServerSideEncryptionMethod.AES256), StringComparison.Ordinal);
        Assert.StartsWith("etag:", S3Checksum.OfObject(new string('a', 32), null, ServerSideEncryptionMethod.AWSKMS), StringComparison.Ordinal);
        Assert.Null(S3Checksum.OfPart(new string('a', 32), null, null, ServerSideEncryptionMethod.AWSKMS));
    }

    [Theory]
    [InlineData(0, 8L << 20)]
    [InlineData(80_000L << 20, 9L << 20)]
    [InlineData(79_999L << 20, 8L << 20)]
    [InlineData(5L << 40, 525L << 20)]
    public void Parts_grow_so_that_ten_thousand_are_enough(long length, long size)
    {
        using var store = new S3Store(Bucket, new StoreOptions());

        Assert.Equal(size, store.PartSize(length));
        Assert.InRange((length + size - 1) / size, 0, 10_000);
    }

    [Fact]
    public void More_than_S3_takes_is_refused()
    {
        using var store = new S3Store(Bucket, new StoreOptions());

        Assert.Equal(BackupErrorId.CloudRefused, Assert.Throws<BackupException>(() => store.PartSize((5L << 40) + 1)).ErrorId);
    }

    [Theory]
    [InlineData("https://user:s3cret@s3.example.com")]
    [InlineData("https://s3.example.com/?key=s3cret")]
    [InlineData("https://s3.example.com/#s3cret")]
    [InlineData("ftp://s3cret.example.com")]
    public void An_endpoint_with_a_secret_or_of_another_kind_is_refused_and_not_repeated(string endpoint)
    {
        var error = Assert.Throws<BackupException>(() => new S3Store(Bucket with { Endpoint = new Uri(endpoint) }, new StoreOptions()));

        Assert.Equal(BackupErrorId.CloudRefused, error.ErrorId);
        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no where", "bucket", "no where")]
    [InlineData("eu.example.com/", "bucket", "-Region")]
    [InlineData(null, "My Bucket", "bucket's name")]
    [InlineData(null, "bucket/machine1", "-Prefix")]
    [InlineData(null, "böcket", "bucket's name")]
    public void A_name_that_cannot_be_is_told_from_a_wrong_key_and_a_bad_network(string? region, string bucket, string said)
    {
        var error = Assert.Throws<BackupException>(() => new S3Store(Bucket with { Region = region, Container = bucket }, new StoreOptions()));

        Assert.Equal(BackupErrorId.CloudRefused, error.ErrorId);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("arn:aws:s3:eu-west-1:123456789012:accesspoint/mine")]
    [InlineData("Old_Bucket.of-2006")]
    public void A_name_that_can_be_is_left_to_the_service(string bucket)
    {
        using var store = new S3Store(Bucket with { Region = "us-gov-west-1", Container = bucket }, new StoreOptions());

        Assert.Equal(bucket, store.Location.Container);
    }

    [Fact]
    public void A_bucket_without_locks_is_told_by_what_it_needs()
    {
        string Message(TimeSpan? immutableFor) => new S3Fault(Bucket, new StoreOptions { ImmutableFor = immutableFor })
            .Translate(new AmazonS3Exception("words", ErrorType.Sender, "InvalidRequest", "request", HttpStatusCode.BadRequest), "storing 'x'", "x")!.Message;

        Assert.Contains("Object Lock", Message(TimeSpan.FromDays(1)), StringComparison.Ordinal);
        Assert.DoesNotContain("Object Lock", Message(null), StringComparison.Ordinal);
    }

    [Fact]
    public void AWS_keeps_a_crc_of_the_whole_and_others_do_not()
    {
        ContentChecksums Of(string? endpoint)
        {
            using var store = new S3Store(Bucket with { Endpoint = endpoint is null ? null : new Uri(endpoint) }, new StoreOptions());
            return store.Checksums;
        }

        Assert.Equal(ContentChecksums.Crc64Nvme, Of(null));
        Assert.Equal(ContentChecksums.Crc64Nvme, Of("https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com"));
        Assert.Equal(ContentChecksums.None, Of("https://amazonaws.com.example.org"));
    }

    [Fact]
    public void An_address_holds_bucket_prefix_and_name()
    {
        using var store = new S3Store(Bucket, new StoreOptions());

        Assert.Equal("s3://bucket/a b/x", store.UrlOf("x"));
    }

    [Fact]
    public async Task A_profile_that_is_not_there_is_no_credential_and_the_way_to_give_one_is_said()
    {
        using var store = new S3Store(Bucket with { Profile = "no-such-profile", Endpoint = new Uri("http://127.0.0.1:1") }, new StoreOptions());

        var error = await Assert.ThrowsAsync<BackupException>(() => store.FindAsync("x", TestContext.Current.CancellationToken));

        Assert.Equal(BackupErrorId.CloudCredentialsMissing, error.ErrorId);
        Assert.Contains("no-such-profile", error.Message, StringComparison.Ordinal);
        Assert.Contains("-CredentialProfile", error.Message, StringComparison.Ordinal);
        Assert.Contains("aws configure", error.Message, StringComparison.Ordinal);
    }

    private static UploadedPart Part(int number, string tag) => new(number, 1, tag);
}
