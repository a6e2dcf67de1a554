Describe 'Test-SHBackup' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $backup = New-SHBackup ./app.db -NoVerify
    }
    AfterEach { Exit-Workspace }

    It 'verifies objects, ids, wildcards and files at level <_>' -ForEach 'Quick', 'Full' {
        (Get-SHBackup | Test-SHBackup -Level $_).Verified | Should -BeTrue
        (Test-SHBackup $backup.Id -Level $_).Verified | Should -BeTrue
        (Test-SHBackup * -Level $_).Verified | Should -BeTrue
        (Get-Item $backup.BackupPath | Test-SHBackup -Level $_).Verified | Should -BeTrue
        (Get-SHBackup).VerificationLevel | Should -Be $_
    }

    It 'shows what was checked' {
        $checks = (Get-SHBackup | Test-SHBackup).Verification
        $checks.Check | Should -Contain 'Integrity'
        $checks.Passed | Should -Not -Contain $false
    }

    It 'writes an error for a damaged file and marks the backup' {
        $bytes = [System.IO.File]::ReadAllBytes($backup.BackupPath)
        $bytes[$bytes.Length / 2] = $bytes[$bytes.Length / 2] -bxor 255
        [System.IO.File]::WriteAllBytes($backup.BackupPath, $bytes)
        (Get-SHBackup | Test-SHBackup -ErrorAction SilentlyContinue -ErrorVariable failed).Verified | Should -BeFalse
        $failed[0].TargetObject | Should -Be $backup.Id
        Get-SHBackup -Verified | Should -BeNullOrEmpty
        Get-SHBackup | Test-SHBackup -Quiet | Should -BeFalse
    }

    It 'names an unknown id' {
        { Test-SHBackup backup_20200101_000000_000000 -ErrorAction Stop } | Should -Throw -ErrorId 'BackupNotFound,SignalHarvester.Backup.PowerShell.Commands.TestSHBackupCommand'
    }
}
