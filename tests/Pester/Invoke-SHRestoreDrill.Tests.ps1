Describe 'Invoke-SHRestoreDrill' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach {
        Enter-Workspace
        $backup = New-SHBackup ./app.db
    }
    AfterEach { Exit-Workspace }

    It 'proves that the newest backup restores' {
        $drill = Invoke-SHRestoreDrill -Newest
        $drill.BackupId | Should -Be $backup.Id
        $drill.Passed | Should -BeTrue
        $drill.RestoreTime | Should -BeGreaterThan ([timespan]::Zero)
    }

    It 'asks the restored database' {
        ($backup | Invoke-SHRestoreDrill -Assertion @{ Query = 'SELECT 1'; Expect = '> 0' }).Passed | Should -BeTrue
        { $backup | Invoke-SHRestoreDrill -Assertion @{ Query = 'SELECT 1'; Expect = '> 1' } -ErrorAction Stop } | Should -Throw -ErrorId 'RestoreDrillFailed,*'
    }

    It 'leaves nothing behind and is in the history' {
        $before = @(Get-ChildItem ./backups/.shbackup/tmp -Force -ErrorAction Ignore).Count
        Invoke-SHRestoreDrill $backup.Id -Quiet | Should -BeTrue
        @(Get-ChildItem ./backups/.shbackup/tmp -Force -ErrorAction Ignore).Count | Should -Be $before
        (Get-SHBackupHistory -Operation Drill).Status | Should -Be 'Success'
    }

    It 'restores nothing with -WhatIf' {
        Invoke-SHRestoreDrill -Newest -WhatIf | Should -BeNullOrEmpty
    }
}
