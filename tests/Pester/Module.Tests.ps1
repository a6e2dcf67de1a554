Describe 'SignalHarvester.Backup' {
    BeforeAll {
        . "$PSScriptRoot/Workspace.ps1"
        $manifest = Join-Path (Get-Module SignalHarvester.Backup).ModuleBase 'SignalHarvester.Backup.psd1'
    }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'has a manifest without a fault' {
        $tested = Test-ModuleManifest $manifest -WarningVariable warnings -ErrorVariable faults
        $warnings | Should -BeNullOrEmpty
        $faults | Should -BeNullOrEmpty
        $tested.ExportedCmdlets.Keys | Should -Be (Get-Command -Module SignalHarvester.Backup -CommandType Cmdlet).Name
    }

    It 'is imported again, by force and after removal, and takes the objects of before' {
        $backup = New-SHBackup ./app.db -NoVerify
        Import-Module $manifest -Force
        Import-Module $manifest -Force
        ($backup | Test-SHBackup).Verified | Should -BeTrue
        Remove-Module SignalHarvester.Backup
        Import-Module $manifest
        ($backup | Test-SHBackup).Verified | Should -BeTrue
    }

    It 'works in a second runspace' {
        New-SHBackup ./app.db -NoVerify
        $shell = [powershell]::Create()
        try {
            $listed = $shell.AddScript('Import-Module $args[0]; Set-Location -LiteralPath $args[1]; Get-SHBackup').AddArgument($manifest).AddArgument((Get-Location).Path).Invoke()
            $shell.Streams.Error | Should -BeNullOrEmpty
            ($listed | Test-SHBackup).Verified | Should -BeTrue
        }
        finally { $shell.Dispose() }
    }

    It 'makes backups from parallel runspaces' {
        $made = 1..4 | ForEach-Object -ThrottleLimit 4 -Parallel {
            Import-Module $using:manifest
            New-SHBackup ./app.db
        }
        $made.Verified | Should -Be @($true, $true, $true, $true)
        (Get-SHBackup).Id | Sort-Object | Should -Be ($made.Id | Sort-Object)
    }

    It 'makes backups in jobs of <_>' -ForEach 'processes', 'threads' {
        $folder = (Get-Location).Path
        $work = { Import-Module $using:manifest; Set-Location -LiteralPath $using:folder; New-SHBackup ./app.db }
        $job = if ($_ -eq 'processes') { Start-Job $work } else { Start-ThreadJob $work }
        $backup = $job | Receive-Job -Wait -AutoRemoveJob
        $backup | Should -BeOfType SignalHarvester.Backup.BackupMetadata
        ($backup | Test-SHBackup).Verified | Should -BeTrue
    }

    It 'explains <_>' -ForEach (Get-Command -Module SignalHarvester.Backup -CommandType Cmdlet).Name {
        $full = Get-Help $_ -Full | Out-String -Width 100
        foreach ($part in 'SYNOPSIS', 'SYNTAX', 'DESCRIPTION', 'PARAMETERS', 'INPUTS', 'OUTPUTS', 'RELATED LINKS') {
            $full | Should -MatchExactly "(?m)^$part"
        }
        Get-Help $_ -Examples | Out-String | Should -Match '(?m)^\s*\n +-+ Example 2: '
        (Get-Help $_).relatedLinks.navigationLink.linkText | ForEach-Object { Get-Help $_ | Should -Not -BeNullOrEmpty }
    }

    It 'completes <line> with <offer>' -ForEach @(
        @{ Line = 'New-SHB'; Offer = 'New-SHBackup', 'New-SHBackupConfiguration', 'New-SHBackupKey', 'New-SHBackupStore' }
        @{ Line = 'New-SHBackup ./app.db -Compression '; Offer = 'Gzip', 'None', 'Zstd' }
        @{ Line = 'New-SHBackup ./app.db -RetentionPolicy W'; Offer = 'Weekly' }
        @{ Line = 'New-SHBackup ./ap'; Offer = './app.db' }
        @{ Line = 'Get-SHBackup | Where-Object Ag'; Offer = 'Age' }
        @{ Line = 'Get-SHBackup | Sort-Object VerificationT'; Offer = 'VerificationTimestamp' }
        @{ Line = 'Get-SHBackup -BackupDirectory ./nowhere -Id '; Offer = $null }
    ) {
        (TabExpansion2 $Line).CompletionMatches.CompletionText | Should -Be $Offer
    }
}
