Describe 'Invoke-SHBackupScrub' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $full = New-SHBackup ./app.db
    }
    AfterEach { Exit-Workspace }

    It 'reads all backups and says what it found' {
        $result = Invoke-SHBackupScrub
        $result.BackupId | Should -Be $full.Id
        $result.Outcome | Should -Be 'Good'
        (Get-SHBackup).ScrubTimestamp | Should -BeGreaterThan ([datetimeoffset]::UtcNow.AddMinutes(-5))
    }

    It 'keeps a damaged backup in the quarantine and writes an error' {
        $bytes = [IO.File]::ReadAllBytes($full.BackupPath)
        $bytes[100] = $bytes[100] -bxor 255
        [IO.File]::WriteAllBytes($full.BackupPath, $bytes)
        $result = Invoke-SHBackupScrub -ErrorVariable failed -ErrorAction SilentlyContinue
        $failed.FullyQualifiedErrorId | Should -BeLike 'BackupChecksumMismatch,*'
        [IO.File]::ReadAllBytes($result.QuarantinePath) | Should -Be $bytes
        Get-SHBackup | Should -BeNullOrEmpty
    }

    It 'reads nothing with -WhatIf' {
        Invoke-SHBackupScrub -WhatIf | Should -BeNullOrEmpty
        (Get-SHBackup).ScrubTimestamp | Should -BeNullOrEmpty
    }
}
