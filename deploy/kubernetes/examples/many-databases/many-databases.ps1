#Requires -Version 7.6

<#
.SYNOPSIS
Backs up one share of the databases in /databases into the bucket, each below a prefix of its own.

.DESCRIPTION
Of all databases, sorted by name, pod number JOB_COMPLETION_INDEX takes every SHARES-th one, beginning with its own number.
So each database is in one share, whatever their number, and no two pods have to talk about it. A database of
/databases/acme/app.db goes to <SHBACKUP_S3_PREFIX>acme/app/.

Exit code: 0 all went well, or the share is empty; 3 some failed; 1 all failed.
#>
[CmdletBinding()]
param(
    [string] $Folder = '/databases',

    # Where a backup lies until it is in the bucket.
    [string] $WorkFolder = '/work'
)

Set-StrictMode -Version Latest

$shares = [int] $env:SHARES
$index = [int] $env:JOB_COMPLETION_INDEX
$databases = [IO.Directory]::GetFiles($Folder, '*.db', [IO.SearchOption]::AllDirectories)
[Array]::Sort($databases, [StringComparer]::Ordinal)

$tried = 0
$failed = 0
for ($number = $index; $number -lt $databases.Length; $number += $shares) {
    $database = $databases[$number]
    $name = [IO.Path]::ChangeExtension([IO.Path]::GetRelativePath($Folder, $database), $null).TrimEnd('.')
    $directory = [IO.Path]::Combine($WorkFolder, $name)
    $tried++
    try {
        # Not by New-SHBackup itself, which would send it below the configured prefix.
        New-SHBackup -LiteralPath $database -BackupDirectory $directory -RetentionPolicy Daily -Upload:$false -ErrorAction Stop |
            Send-SHBackup -Provider S3 -Prefix "${env:SHBACKUP_S3_PREFIX}$name/" -ErrorAction Stop
    }
    catch {
        $failed++
        # Not an error of the script: the other databases of the share come next.
        $PSCmdlet.WriteError($_)
    }
    finally {
        if ([IO.Directory]::Exists($directory)) { [IO.Directory]::Delete($directory, $true) }
    }
}

exit ($failed -eq 0 ? 0 : $failed -lt $tried ? 3 : 1)
